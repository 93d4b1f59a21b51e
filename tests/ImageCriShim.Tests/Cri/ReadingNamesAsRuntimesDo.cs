using ImageCriShim.Configuration;
using ImageCriShim.Images;
using ImageCriShim.Rewriting;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Images;
using ImageCriShim.Tests.Rewriting;

namespace ImageCriShim.Tests.Cri;

/// <summary>
/// A million names, read by distribution/reference, the library of every runtime: what it accepts is read in the same way here and judged
/// by the host that containerd takes from it, and what it refuses is refused here.
/// </summary>
[Trait("suite", "slow")]
public sealed class ReadingNamesAsRuntimesDo : PullTest
{
    private const int Names = 1_000_000;
    private const int Pulled = 2_000;
    private const int Shown = 20; // of what is wrong

    private static readonly Lazy<Task<IReadOnlyList<ReadName>>> s_read = new(() => Read(Environment.TickCount));

    private readonly ImagePolicy offline = new(Hub() with { OfflineOnly = true });
    private readonly ImagePolicy nothing = new(Hub() with { Block = [ResolveCase.Pattern("*")] });
    private readonly CandidateList candidates = new(Hub());

    [Fact]
    public async Task No_name_is_read_otherwise()
    {
        var names = await s_read.Value;
        ShouldBeNone(names, name => !IsReadAlike(name));
        names.Count(name => name.IsAccepted).ShouldBeInRange(Names / 5, Names * 4 / 5); // both kinds are many
    }

    [Fact]
    public async Task What_runtimes_would_pull_from_elsewhere_is_forbidden_or_pulled_from_the_registries_alone()
    {
        var names = await s_read.Value;
        ShouldBeNone(names, name => name.IsAccepted && nothing.FindRefusalOfPull(name.Text) is null);
        ShouldBeNone(names, name => name.IsAccepted && !IsBlockedByItsHost(name));
        ShouldBeNone(names, name => offline.FindRefusalOfPull(name.Text) is null && !IsPulledFromTheRegistries(name));
    }

    [Fact]
    public async Task With_offlineOnly_and_block_the_runtime_is_told_of_the_registries_alone()
    {
        Prepare();
        Expect("not pulled");
        Expect("pull of ");
        foreach (var repository in new[] { "a", "app", "nginx", "team", "library/app", "team/app", "a_b", "a__b", "a.b/app" })
        {
            foreach (var tag in new[] { "latest", "1", "_x", "0" })
                First.Add(repository, tag);
        }

        Runtime.Images.OnlyPulls.Clear();
        var block = new[] { "docker.io", "*.te_st" }.Select(ResolveCase.Pattern);
        await Start(adjust: settings => settings with { OfflineOnly = true, Block = [.. block] });
        var names = (await s_read.Value).Where(name => name.Text.Length < 1000).Take(Pulled);

        await Parallel.ForEachAsync(names, TestContext.Current.CancellationToken, async (name, _) => await Pull(name.Text));

        var pulls = Runtime.CallsOf("PullImage").Select(call => call.Image).Where(image => image.Length > 0).ToList();
        pulls.ShouldNotBeEmpty();
        pulls.ShouldAllBe(image => image.StartsWith($"{First.Host}/") || image.StartsWith($"{Second.Host}/") || IsBareId(image));
    }

    private static void ShouldBeNone(IReadOnlyList<ReadName> names, Func<ReadName, bool> isWrong) =>
        names.AsParallel().Where(isWrong).Take(Shown).ToList().ShouldBeEmpty();

    /// <summary>Which no runtime takes for a name.</summary>
    private static bool IsBareId(string image) => image.Length == 64 && ImageId.IsId(image);

    private static bool IsReadAlike(ReadName name)
    {
        if (!Reference.TryParse(name.Text, out var reference))
            return !name.IsAccepted || ImageId.IsId(name.Text) || name.Host.Length > Reference.MaxDomainLength;
        if (!name.IsAccepted)
            return false;
        // To containerd a third name of Docker Hub is a host like any other, and the same registry to us (docs/RESOLVING.md).
        const string third = "registry-1.docker.io/";
        if (!name.Kept.StartsWith(third) || name.Kept == reference.Kept)
            return name.Kept == reference.Kept;
        return reference.Kept == "docker.io/" + (name.Path.Contains('/') ? "" : "library/") + name.Kept[third.Length..];
    }

    /// <summary>However that host is spelled in the rule.</summary>
    private static bool IsBlockedByItsHost(ReadName name)
    {
        var host = name.Kept[..name.Kept.IndexOf('/')];
        if (!host.Any(c => c is '.' or ':'))
            return true; // no host to a rule
        return (host.Length > Reference.MaxDomainLength ? ["quay.io"] : Spellings(host)).All(rule => IsBlocked(name.Text, rule));
    }

    private static bool IsBlocked(string image, string rule) =>
        new ImagePolicy(Hub() with { Block = [ResolveCase.Pattern(rule)] }).FindRefusalOfPull(image) is not null;

    private static string[] Spellings(string host)
    {
        var hasPort = !host.EndsWith(']') && host.Contains(':');
        var isPath = host.Contains('_'); // to distribution/reference, so it has no port
        return hasPort || isPath ? [host, host.ToUpperInvariant()] : [host, host.ToUpperInvariant(), $"{host}:443", $"{host}:0080"];
    }

    private bool IsPulledFromTheRegistries(ReadName name)
    {
        if (IsBareId(name.Text))
            return true;
        return Reference.TryParse(name.Text, out var reference)
            && candidates.AtRegistries(name.Text, reference).All(candidate => candidate.Registry!.IsNamedBy(candidate.Name!));
    }

    private static ShimSettings Hub() => new()
    {
        Registries =
        [
            ResolveCase.Configured("hub.local:5000", 1000) with { IsOffline = true },
            ResolveCase.Configured("mirror.local", 500),
        ],
    };

    private static async Task<IReadOnlyList<ReadName>> Read(int seed)
    {
        TestContext.Current.SendDiagnosticMessage("names of seed {0}", seed);
        var random = new RandomNames(seed);
        var names = Enumerable.Range(0, Names).Select(_ => random.Next()).ToList();
        using var process = await Peer.StartReferencesAsync();
        var writing = Task.Run(() =>
        {
            names.ForEach(process.StandardInput.WriteLine);
            process.StandardInput.Close();
        });
        var read = new List<ReadName>(Names);
        while (await process.StandardOutput.ReadLineAsync() is { } line)
            read.Add(ReadName.Of(names[read.Count], line));
        await writing;
        read.Count.ShouldBe(Names, await process.StandardError.ReadToEndAsync());
        return read;
    }

    /// <param name="Text">As it was written.</param>
    /// <param name="Host">By distribution/reference; empty where it sees none.</param>
    /// <param name="Path">The same.</param>
    /// <param name="Kept">As containerd keeps the name, and takes the host from it; empty where the name is refused.</param>
    private sealed record ReadName(string Text, string Host, string Path, string Kept)
    {
        internal bool IsAccepted => Kept.Length > 0;

        internal static ReadName Of(string text, string line) => line.Split('\t') is [var host, var path, var kept]
            ? new ReadName(text, host, path, kept)
            : new ReadName(text, "", "", line); // what is an error prints none
    }
}
