using System.Text.Json.Nodes;
using ImageCriShim.Images;
using ImageCriShim.Registries;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Registries;

/// <summary>An index counts where it has an image for this node.</summary>
public sealed class IndexTests : IAsyncLifetime
{
    private const string DockerList = "application/vnd.docker.distribution.manifest.list.v2+json";

    private readonly FakeRegistry registry = FakeRegistry.Start();
    private readonly ProbeCase probe = new(platform: new Platform("linux", "amd64"));

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync()
    {
        probe.Dispose();
        return registry.DisposeAsync();
    }

    [Theory]
    [InlineData("linux/arm64 linux/amd64", "found")]
    [InlineData("linux/386", "found")]
    [InlineData("linux/arm64 linux/s390x linux/arm64", "missing (only for linux/arm64, linux/s390x)")]
    [InlineData("windows/amd64 linux/arm/v7", "missing (only for windows/amd64, linux/arm/v7)")]
    [InlineData("a/1 a/2 a/3 a/4 a/5 a/6", "missing (only for a/1, a/2, a/3, a/4, a/5, ...)")]
    [InlineData("unknown/unknown linux/arm64", "missing (only for linux/arm64)")]
    [InlineData("unknown/unknown", "missing (only as an empty index)")]
    [InlineData("", "missing (only as an empty index)")]
    [InlineData("-", "found")] // without a platform: the runtime takes it
    public async Task Its_platforms_decide(string platforms, string meaning)
    {
        registry.Add("library/nginx", "1.25", Index(platforms), FakeRegistry.OciIndex);

        (await probe.Ask(registry)).ToString().ShouldBe(meaning);
    }

    [Theory]
    [InlineData("""{"manifests":[{"platform":{"os":"linux","architecture":"amd64"},"annotations":{"vnd.docker.reference.type":"attestation-manifest"}}]}""", "missing (only as an empty index)")]
    [InlineData("""{"manifests":[{"platform":{"os":"linux","architecture":"arm64"},"mediaType":"application/vnd.oci.image.index.v1+json"}]}""", "found")] // nested
    [InlineData("""{"manifests":[{"platform":{}}]}""", "found")]
    [InlineData("""{"manifests":[7,null,{"platform":{"os":"lin\nux","architecture":"<script>-------------"}}]}""", "missing (only for lin?ux/?script?--------)")]
    [InlineData("""{"manifests":{}}""", "missing (only as an empty index)")]
    [InlineData("{}", "missing (only as an empty index)")]
    [InlineData("<html>", "unreachable (not a registry's answer: no image manifest)")]
    [InlineData("""{"manifests":[{"platform":{"os":"\ud800"}}]}""", "unreachable (not a registry's answer: no image manifest)")] // no Unicode
    public async Task Its_entries_may_be_odd(string json, string meaning)
    {
        registry.Add("library/nginx", "1.25", json, DockerList);

        (await probe.Ask(registry)).ToString().ShouldBe(meaning);
    }

    [Fact]
    public async Task Its_platforms_are_read_once_and_known_by_its_digest_at_every_registry()
    {
        await using var other = FakeRegistry.Start();
        foreach (var holder in new[] { registry, other })
            holder.Add("library/nginx", "1.25", Index("linux/arm64"), FakeRegistry.OciIndex);

        var results = new[] { await probe.Ask(registry), await probe.Ask(registry), await probe.Ask(other) };

        results.ShouldAllBe(result => result.ToString() == "missing (only for linux/arm64)");
        registry.Requests.Select(r => r.Method).ShouldBe(["HEAD", "GET", "HEAD"]);
        other.Requests.Select(r => r.Method).ShouldBe(["HEAD"]);
    }

    [Fact]
    public async Task One_that_says_no_digest_is_read_each_time_because_it_may_be_another()
    {
        registry.Behave = _ => FakeAnswer.Manifest(FakeRegistry.OciIndex, Index("linux/amd64"));
        (await probe.Ask(registry)).ToString().ShouldBe("found");
        registry.Behave = _ => FakeAnswer.Manifest(FakeRegistry.OciIndex, Index("linux/arm64"));
        (await probe.Ask(registry)).ToString().ShouldBe("missing (only for linux/arm64)");
    }

    [Fact]
    public async Task Pinned_by_digest_it_is_still_the_digest_of_the_index()
    {
        var digest = registry.Add("library/nginx", "1.25", Index("linux/amd64"), FakeRegistry.OciIndex);

        (await probe.Ask(registry, $"library/nginx@{digest}")).ShouldBeOfType<ProbeResult.Found>().Digest.ShouldBe(digest);
    }

    [Theory]
    [InlineData(429, "throttled (HTTP 429)")]
    [InlineData(503, "unreachable (HTTP 503)")]
    [InlineData(404, "missing")]
    public async Task If_it_cannot_be_read_that_is_the_answer(int status, string meaning)
    {
        registry.Add("library/nginx", "1.25", Index("linux/amd64"), FakeRegistry.OciIndex);
        registry.Behave = r => r.Method == "GET" ? new FakeAnswer(status) : null;

        (await probe.Ask(registry)).ToString().ShouldBe(meaning);
    }

    private static string Index(string platforms)
    {
        var entries = platforms.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(JsonNode? (platform) => platform.Split('/') is [var os, var architecture, .. var rest]
            ? new JsonObject { ["platform"] = new JsonObject { ["os"] = os, ["architecture"] = architecture, ["variant"] = rest.FirstOrDefault() } }
            : new JsonObject { ["mediaType"] = FakeRegistry.OciManifest });
        return new JsonObject { ["schemaVersion"] = 2, ["manifests"] = new JsonArray([.. entries]) }.ToJsonString();
    }
}
