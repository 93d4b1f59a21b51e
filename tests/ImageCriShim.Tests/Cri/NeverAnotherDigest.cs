using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using ImageCriShim.Registries;
using ImageCriShim.Rewriting;
using ImageCriShim.Tests.Fakes;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Cri;

/// <summary>
/// An image that is pinned by digest comes with that digest or not at all, or, with digestFallback, with a warning: in random situations of
/// registries that are right, wrong, down or in a bad mood, tags that move, answers that are remembered, images on the node. The runtime
/// checks what it gets, as containerd does; its image IDs are the digests.
/// </summary>
public sealed class NeverAnotherDigest : PullTest
{
    private const string ByTag = "1107 ";
    private const int Steps = 400;
    private const int Repositories = 3;

    private static readonly string[] s_contents = [.. Enumerable.Range(0, 4).Select(i => $$"""{"schemaVersion":2,"config":{},"layers":[],"annotations":{"content":"{{i}}"} }""")];

    private readonly ConcurrentDictionary<string, string> world = new(); // host/repository:tag or @digest → content
    private readonly ConcurrentDictionary<string, int> moods = new(); // host → what it answers to everything
    private Random random = null!;
    private int pulled;

    public NeverAnotherDigest() => Prepare();

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(3, true)]
    [InlineData(4, true)]
    public async Task Comes_when_one_is_pinned(int seed, bool fallback)
    {
        Array.ForEach(["pull of ", "not pulled ", "no registry can be reached", "(digestFallback)"], Expect);
        random = new Random(seed);
        Runtime.On(ImageService + "PullImage", PullAsContainerdDoes);
        (First.Behave, Second.Behave) = (request => Serve(First.Host, request), request => Serve(Second.Host, request));
        await Start([At(First.Address), At(Second.Address)], settings => settings with { DigestFallback = fallback });

        for (var step = 0; step < Steps; step++)
        {
            ChangeTheWorld();
            await PullSomething(fallback);
        }

        pulled.ShouldBeGreaterThan(Steps / 20); // it is not only errors that were looked at
        Log.Lines.Any(line => line.StartsWith(ByTag)).ShouldBe(fallback);
    }

    private async Task PullSomething(bool fallback)
    {
        var repository = $"{Pick(OriginDown, OriginDown, First.Host)}/team/app{random.Next(Repositories)}";
        var digest = DigestOf(s_contents[random.Next(s_contents.Length)]);
        var tag = random.Next(2) == 0 ? ":1.0" : "";
        var image = random.Next(4) == 0 ? $"{repository}:1.0" : $"{repository}{tag}@{digest}"; // by tag: so that there are other images about
        var warnings = CountWarnings(digest);

        var answer = await Pull(image, random.Next(3) == 0 ? "of a pod" : null);

        if (!image.Contains('@') || answer.Status != 0)
            return;
        pulled++;
        var isWarned = CountWarnings(digest) > warnings;
        (fallback && tag.Length > 0 || !isWarned).ShouldBeTrue(image);
        if (FindText(answer.Single, 1) != digest)
            isWarned.ShouldBeTrue($"{image} came as {FindText(answer.Single, 1)}");
        if (!fallback)
            (await FindId(image)).ShouldBe(digest);
    }

    private int CountWarnings(string digest) => Log.Lines.Count(line => line.StartsWith(ByTag) && line.Contains($"instead of digest {digest}"));

    private void ChangeTheWorld()
    {
        Time.Advance(TimeSpan.FromSeconds(Pick(0, 0, 1, 20, 120, 2000))); // answers are forgotten, throttled registries may be asked again
        var host = Pick(First.Host, Second.Host, OriginDown);
        moods[Pick(First.Host, Second.Host, OriginDown)] = 0;
        var repository = $"{host}/team/app{random.Next(Repositories)}";
        var content = s_contents[random.Next(s_contents.Length)];
        switch (random.Next(8))
        {
            case 0 or 1:
                world[$"{repository}:1.0"] = content; // the tag moves
                break;
            case 2 or 3:
                world[$"{repository}@{DigestOf(content)}"] = content;
                break;
            case 4:
                world[$"{repository}@{DigestOf(content)}"] = s_contents[random.Next(s_contents.Length)]; // a registry that lies
                break;
            case 5 when random.Next(5) == 0:
                world.Clear();
                break;
            case 6:
                moods[host] = Pick(404, 401, 403, 429, 500, 503);
                break;
            default:
                moods[First.Host] = moods[Second.Host] = Pick(0, 0, 503); // all at once
                break;
        }
    }

    private FakeAnswer? Serve(string host, FakeRequest request)
    {
        if (moods.GetValueOrDefault(host) is not 0 and var status)
            return new FakeAnswer(status);
        var (repository, version) = (request.Path[4..].Split("/manifests/")[0], request.Path.Split("/manifests/")[1]);
        var separator = version.StartsWith("sha256:", StringComparison.Ordinal) ? "@" : ":";
        return world.TryGetValue($"{host}/{repository}{separator}{version}", out var content)
            ? new FakeAnswer(200)
            {
                Body = Encoding.UTF8.GetBytes(content),
                Headers = { ["Content-Type"] = FakeRegistry.OciManifest, ["Docker-Content-Digest"] = version.Contains(':') ? version : DigestOf(content) },
            }
            : null;
    }

    private async Task PullAsContainerdDoes(FakeCall call)
    {
        var name = FakeImages.Normalise(FindText(await call.ReadRequestAsync(), 1, 1)); // drops a tag beside a digest
        var digest = name.Contains('@') ? name[(name.IndexOf('@') + 1)..] : null;
        if (moods.GetValueOrDefault(name.Split('/')[0]) != 0 || !world.TryGetValue(name, out var content))
        {
            call.Fail(5, $"{name}: not found");
            return;
        }

        if (digest is not null && DigestOf(content) != digest)
        {
            call.Fail(9, $"{name}: the digest differs");
            return;
        }

        Keep(name, DigestOf(content));
        await call.AnswerAsync(Field(1, DigestOf(content)));
    }

    /// <summary>A tag belongs to one image.</summary>
    private void Keep(string name, string id)
    {
        foreach (var other in Runtime.Images.All.Where(image => image.Tags.Contains(name)))
            Runtime.Images.Add(other with { Tags = [.. other.Tags.Where(tag => tag != name)] });
        var image = Runtime.Images.Find(id) ?? new FakeImage(id, [], []);
        var repository = name.Contains('@') ? name[..name.IndexOf('@')] : name[..name.LastIndexOf(':')];
        Runtime.Images.Add(image with
        {
            Tags = name.Contains('@') ? image.Tags : [.. image.Tags, name],
            Digests = [.. image.Digests.Append($"{repository}@{id}").Distinct()],
        });
    }

    private T Pick<T>(params T[] these) => these[random.Next(these.Length)];

    private static string DigestOf(string content) => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(content)))}";
}
