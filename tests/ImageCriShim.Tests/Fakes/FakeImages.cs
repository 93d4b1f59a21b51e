using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Fakes;

/// <summary>An image as the runtime holds it.</summary>
public sealed record FakeImage(string Id, string[] Tags, string[] Digests, ulong Size = 1234)
{
    /// <summary>The CRI message <c>Image</c>, with a field that nobody knows, which must survive whatever the shim edits.</summary>
    public byte[] ToMessage() => Message(
        Field(1, Id),
        [.. Tags.SelectMany(tag => Field(2, tag))], [.. Digests.SelectMany(digest => Field(3, digest))],
        Field(4, Size),
        Field(1000, "unknown"));
}

/// <summary>The credential of a PullImage.</summary>
public sealed record FakeAuth(string Username, string Password, string Auth, string ServerAddress, string IdentityToken,
    string RegistryToken);

/// <summary>
/// The image service of <see cref="FakeRuntime"/>: an in-memory set of images under names as containerd normalises them. It pulls every
/// name unless <see cref="FailPulls"/> says otherwise. <see cref="CrioImages"/> and <see cref="DockerImages"/> do what these runtimes do otherwise.
/// </summary>
public class FakeImages
{
    private readonly ConcurrentDictionary<string, FakeImage> byId = new();

    /// <summary>What <c>Version</c> says.</summary>
    public virtual string RuntimeName => "fake";

    /// <summary>Pulls of these names (as given by the caller) fail with that status and text.</summary>
    public ConcurrentDictionary<string, (int Status, string Text)> FailPulls { get; } = new();

    /// <summary>If not empty, only these names can be pulled; others are answered NOT_FOUND as containerd does.</summary>
    public ConcurrentDictionary<string, bool> OnlyPulls { get; } = new();

    /// <summary>What is pulled by these names; where two have the same, they are one image.</summary>
    public ConcurrentDictionary<string, string> Contents { get; } = new();

    /// <summary>Waited for by every pull, until the caller cancels.</summary>
    public Func<string, CancellationToken, Task> BeforePull { get; set; } = (_, _) => Task.CompletedTask;

    public IReadOnlyList<FakeImage> All => [.. byId.Values.OrderBy(image => image.Id, StringComparer.Ordinal)];

    /// <summary>Adds an image under a name, as a pull of that name would.</summary>
    public virtual FakeImage Add(string name)
    {
        var normalised = Normalise(name);
        var id = Sha256(Contents.GetValueOrDefault(name, normalised));
        var repository = normalised.Contains('@') ? normalised[..normalised.IndexOf('@')] : normalised[..normalised.LastIndexOf(':')];
        var digest = normalised.Contains('@') ? normalised : $"{repository}@{id}";
        return AddNames(id, normalised.Contains('@') ? [] : [normalised], [digest]);
    }

    public void Add(FakeImage image) => byId[image.Id] = image;

    public void Clear() => byId.Clear();

    /// <summary>By name, by ID, by an ID's beginning.</summary>
    public virtual FakeImage? Find(string name)
    {
        if (name.Length == 0) return null;
        var normalised = Normalise(name);
        return byId.Values.FirstOrDefault(image => image.Tags.Contains(normalised) || image.Digests.Contains(normalised))
            ?? byId.Values.FirstOrDefault(image =>
                image.Id == name || (name.Length >= 7 && image.Id.StartsWith($"sha256:{name}", StringComparison.Ordinal)));
    }

    public void Remove(FakeImage image) => byId.TryRemove(image.Id, out _);

    /// <summary>What <c>RemoveImage</c> does: the image goes, with all its names.</summary>
    public virtual void Remove(string name)
    {
        if (Find(name) is { } image) Remove(image);
    }

    /// <summary>The error of every call for an image by a name that the runtime does not take; null where it does.</summary>
    public virtual (int Status, string Text)? Refuse(string name) => null;

    /// <summary>The error of a removal; null where there is none.</summary>
    public virtual (int Status, string Text)? RefuseToRemove(string name) => Refuse(name);

    /// <summary>How a pull ends that finds nothing.</summary>
    protected virtual (int Status, string Text) NotFound(string name) =>
        (5, $"failed to pull and unpack image \"{Normalise(name)}\": failed to resolve reference \"{Normalise(name)}\": {Normalise(name)}: not found");

    /// <summary>The <c>image_ref</c> of a pull.</summary>
    protected virtual string RefOf(FakeImage image) => image.Id;

    /// <summary>What <c>ListImages</c> finds for a filter.</summary>
    protected virtual FakeImage? FindByFilter(string filter) => Find(filter);

    private protected static string Sha256(string text) =>
        "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>What runtimes with several names for an image do at a pull: the names are added to the image, and taken from another one.</summary>
    private protected FakeImage AddNames(string id, string[] tags, string[] digests)
    {
        foreach (var other in All.Where(other => other.Id != id && other.Tags.Intersect(tags).Any()))
            byId[other.Id] = other with { Tags = [.. other.Tags.Except(tags)] };
        var image = byId.TryGetValue(id, out var known) ? known : new FakeImage(id, [], []);
        return byId[id] = image with { Tags = [.. image.Tags.Union(tags)], Digests = [.. image.Digests.Union(digests)] };
    }

    /// <summary>Docker Hub's host and <c>library/</c> are added, and <c>latest</c>; a tag beside a digest is dropped.</summary>
    public static string Normalise(string name)
    {
        var slash = name.IndexOf('/');
        var first = slash < 0 ? "" : name[..slash];
        if (!first.Contains('.') && !first.Contains(':') && first != "localhost")
            name = (slash < 0 ? "docker.io/library/" : "docker.io/") + name;
        var at = name.IndexOf('@');
        var colon = name.LastIndexOf(':', at < 0 ? name.Length - 1 : at);
        var hasTag = colon > name.LastIndexOf('/', at < 0 ? name.Length - 1 : at);
        if (at >= 0) return hasTag ? name[..colon] + name[at..] : name;
        return hasTag ? name : name + ":latest";
    }

    /// <summary>Serves <c>ImageService</c> and <c>RuntimeService/Version</c> in both versions.</summary>
    internal void Serve(FakeRuntime runtime)
    {
        foreach (var version in (string[])["v1", "v1alpha2"])
        {
            var service = $"/runtime.{version}.ImageService";
            runtime.On($"{service}/ImageStatus", call => AnswerImageStatus(call));
            runtime.On($"{service}/PullImage", AnswerPullImage);
            runtime.On($"{service}/RemoveImage", AnswerRemoveImage);
            runtime.On($"{service}/ListImages", AnswerListImages);
            runtime.On($"{service}/ImageFsInfo", call => call.AnswerAsync(
                Field(1, Message(Field(1, 1_700_000_000_000_000_000UL), Field(2, Field(1, "/var/lib/fake")), Field(3, Field(1, 4096UL)),
                    Field(4, Field(1, 7UL))))));
            runtime.On($"/runtime.{version}.RuntimeService/Version", call => call.AnswerAsync(
                Message(Field(1, "0.1.0"), Field(2, RuntimeName), Field(3, "v1.2.3"), Field(4, version))));
        }

        runtime.On("/runtime.v1.ImageService/StreamImages", async call =>
        {
            var filter = FindText(await call.ReadRequestAsync(), 1, 1, 1);
            if (Refuse(filter) is { } refusal)
            {
                call.Fail(refusal.Status, refusal.Text);
                return;
            }

            call.SendHeaders();
            foreach (var image in Filtered(filter)) await call.SendAsync(Field(1, image.ToMessage()));
            call.Finish();
        });
    }

    private async Task AnswerImageStatus(FakeCall call)
    {
        var request = await call.ReadRequestAsync();
        var isVerbose = Read(request).Any(field => field is { Number: 2, Value: 1 });
        var name = FindText(request, 1, 1);
        var image = Find(name);
        if (Refuse(name) is { } refusal) call.Fail(refusal.Status, refusal.Text);
        else await call.AnswerAsync(image is null ? []
            : Message(Field(1, image.ToMessage()), isVerbose ? Field(2, Message(Field(1, "info"), Field(2, "{}"))) : []));
    }

    private async Task AnswerPullImage(FakeCall call)
    {
        var request = await call.ReadRequestAsync();
        var name = FindText(request, 1, 1);
        await BeforePull(name, call.Cancelled);
        if (FailPulls.TryGetValue(name, out var failure)) call.Fail(failure.Status, failure.Text);
        else if (Refuse(name) is { } refusal) call.Fail(refusal.Status, refusal.Text);
        else if (!OnlyPulls.IsEmpty && !OnlyPulls.ContainsKey(name)) call.Fail(NotFound(name).Status, NotFound(name).Text);
        else await call.AnswerAsync(Field(1, RefOf(Add(name))));
    }

    private async Task AnswerRemoveImage(FakeCall call)
    {
        var name = FindText(await call.ReadRequestAsync(), 1, 1);
        if (RefuseToRemove(name) is { } refusal)
        {
            call.Fail(refusal.Status, refusal.Text);
            return;
        }

        Remove(name);
        await call.AnswerAsync([]);
    }

    private async Task AnswerListImages(FakeCall call)
    {
        var filter = FindText(await call.ReadRequestAsync(), 1, 1, 1);
        if (Refuse(filter) is { } refusal) call.Fail(refusal.Status, refusal.Text);
        else await call.AnswerAsync(Message([.. Filtered(filter).Select(image => Field(1, image.ToMessage()))]));
    }

    private IEnumerable<FakeImage> Filtered(string filter) => filter.Length == 0 ? All : FindByFilter(filter) is { } image ? [image] : [];

    internal static FakeAuth? ReadAuth(byte[] pullRequest) => ProtoFields.Find(pullRequest, 2) is { } auth
        ? new(FindText(auth, 1), FindText(auth, 2), FindText(auth, 3), FindText(auth, 4), FindText(auth, 5), FindText(auth, 6))
        : null;
}
