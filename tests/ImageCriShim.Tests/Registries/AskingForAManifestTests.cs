using System.Security.Cryptography;
using System.Text;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Registries;

public sealed class AskingForAManifestTests : IAsyncLifetime
{
    private readonly FakeRegistry registry = FakeRegistry.Start();
    private readonly ProbeCase probe = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync()
    {
        probe.Dispose();
        return registry.DisposeAsync();
    }

    [Fact]
    public async Task A_tag_that_is_there_is_found_with_one_head_request()
    {
        var digest = registry.Add("library/nginx", "1.25");

        var result = await probe.Ask(registry);

        result.ShouldBeOfType<ProbeResult.Found>().ShouldSatisfyAllConditions(
            found => found.Digest.ShouldBe(digest),
            found => found.MediaType.ShouldBe(FakeRegistry.OciManifest),
            found => found.Elapsed.ShouldBeGreaterThan(TimeSpan.Zero));
        var request = registry.Requests.ShouldHaveSingleItem();
        request.Method.ShouldBe("HEAD");
        request.Path.ShouldBe("/v2/library/nginx/manifests/1.25");
        request.Authorization.ShouldBeNull();
    }

    [Fact]
    public async Task The_four_manifest_types_are_accepted_in_one_header_and_we_say_who_we_are()
    {
        await probe.Ask(registry);

        var headers = registry.Requests.ShouldHaveSingleItem().Headers; // the fake refuses a header that comes twice
        headers["Accept"].ShouldBe(
            "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, "
            + "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json");
        headers["User-Agent"].ShouldMatch(@"^image-cri-shim/\d+\.\d+\.\d+");
        headers.Keys.ShouldNotContain("traceparent");
    }

    [Fact]
    public async Task A_digest_is_asked_for_by_digest_even_beside_a_tag()
    {
        var digest = registry.Add("library/nginx", "1.25");

        (await probe.Ask(registry, $"library/nginx:other@{digest}")).ShouldBeOfType<ProbeResult.Found>().Digest.ShouldBe(digest);

        registry.Requests.ShouldHaveSingleItem().Path.ShouldBe($"/v2/library/nginx/manifests/{digest}");
    }

    [Fact]
    public async Task Not_found_is_missing_and_is_not_asked_again_by_get()
    {
        (await probe.Ask(registry)).ShouldBeOfType<ProbeResult.Missing>();

        registry.Requests.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(403)]
    [InlineData(405)]
    [InlineData(412)]
    [InlineData(418)]
    [InlineData(501)]
    public async Task A_registry_that_refuses_head_is_asked_by_get(int status)
    {
        registry.Add("library/nginx", "1.25");
        registry.Behave = request => request.Method == "HEAD" ? new FakeAnswer(status) : null;

        (await probe.Ask(registry)).ShouldBeOfType<ProbeResult.Found>();

        registry.Requests.Select(r => r.Method).ShouldBe(["HEAD", "GET"]);
    }

    [Theory]
    [InlineData(401, "denied (HTTP 401 for no user)")]
    [InlineData(403, "denied (HTTP 403 for no user)")]
    [InlineData(404, "missing")]
    [InlineData(429, "throttled (HTTP 429)")]
    [InlineData(206, "unreachable (not a registry's answer: HTTP 206)")]
    [InlineData(204, "unreachable (not a registry's answer: HTTP 204)")]
    [InlineData(400, "denied (HTTP 400)")]
    [InlineData(402, "denied (HTTP 402)")]
    [InlineData(405, "denied (HTTP 405)")]
    [InlineData(406, "denied (HTTP 406)")]
    [InlineData(410, "denied (HTTP 410)")]
    [InlineData(412, "denied (HTTP 412)")]
    [InlineData(418, "denied (HTTP 418)")]
    [InlineData(421, "denied (HTTP 421)")]
    [InlineData(423, "denied (HTTP 423)")]
    [InlineData(426, "denied (HTTP 426)")]
    [InlineData(451, "denied (HTTP 451)")]
    [InlineData(499, "denied (HTTP 499)")]
    [InlineData(407, "unreachable (HTTP 407)")] // a proxy's
    [InlineData(408, "unreachable (HTTP 408)")]
    [InlineData(500, "unreachable (HTTP 500)")]
    [InlineData(502, "unreachable (HTTP 502)")]
    [InlineData(503, "unreachable (HTTP 503)")]
    [InlineData(302, "unreachable (HTTP 302, a redirect to nowhere or one too many)")]
    public async Task Each_status_means_what_the_table_says(int status, string meaning)
    {
        registry.Behave = _ => new FakeAnswer(status);

        (await probe.Ask(registry)).ToString().ShouldBe(meaning);
    }

    [Theory]
    [InlineData(1, 2, "found")]
    [InlineData(2, 2, "unreachable (HTTP 408)")]
    public async Task A_request_that_came_too_late_is_sent_once_more(int late, int requests, string meaning)
    {
        registry.Add("library/nginx", "1.25");
        registry.Behave = _ => registry.Requests.Count < late ? new FakeAnswer(408) { Headers = { ["Connection"] = "close" } } : null;

        (await probe.Ask(registry)).ToString().ShouldBe(meaning);

        registry.Requests.Select(r => r.Method).ShouldBe(Enumerable.Repeat("HEAD", requests));
    }

    [Theory]
    [InlineData("7", 7)]
    [InlineData("Thu, 01 Jan 2026 00:01:00 GMT", 60)]
    [InlineData("Thu, 01 Jan 2015 00:01:00 GMT", 0)]
    public async Task A_throttling_registry_says_for_how_long(string retryAfter, int seconds)
    {
        registry.Behave = _ => new FakeAnswer(429) { Headers = { ["Retry-After"] = retryAfter } };
        using var atNewYear = new ProbeCase(new FakeTime());

        (await atNewYear.Ask(registry)).ShouldBeOfType<ProbeResult.Throttled>().RetryAfter.ShouldBe(TimeSpan.FromSeconds(seconds));
    }

    [Fact]
    public async Task It_says_so_by_its_own_clock()
    {
        registry.Behave = _ => new FakeAnswer(429) { Headers = { ["Date"] = "Thu, 01 Jan 2026 01:00:00 GMT", ["Retry-After"] = "Thu, 01 Jan 2026 01:00:30 GMT" } };
        using var anHourBehind = new ProbeCase(new FakeTime());

        (await anHourBehind.Ask(registry)).ShouldBeOfType<ProbeResult.Throttled>().RetryAfter.ShouldBe(TimeSpan.FromSeconds(30));
    }

    [Theory]
    [InlineData("application/vnd.docker.distribution.manifest.v1+json")]
    [InlineData("application/vnd.docker.distribution.manifest.v1+prettyjws")]
    public async Task Schema_1_is_missing(string type)
    {
        registry.Behave = _ => FakeAnswer.Manifest(type);

        (await probe.Ask(registry)).ShouldBeOfType<ProbeResult.Missing>().Remark.ShouldNotBeNull();
    }

    [Theory]
    [InlineData("text/html")]
    [InlineData("text/html; charset=utf-8")]
    [InlineData("TEXT/HTML")]
    public async Task A_web_page_is_no_answer(string type)
    {
        registry.Behave = _ => FakeAnswer.Manifest(type, "<html>Please log in</html>");

        (await probe.Ask(registry)).ToString().ShouldBe("unreachable (not a registry's answer: a web page)");
    }

    [Theory]
    [InlineData("text/plain", FakeRegistry.ManifestJson, FakeRegistry.OciManifest)]
    [InlineData("application/octet-stream", """{"schemaVersion":2,"manifests":[{}]}""", FakeRegistry.OciIndex)]
    [InlineData("application/json", """{"mediaType":"application/vnd.docker.distribution.manifest.v2+json"}""", "application/vnd.docker.distribution.manifest.v2+json")]
    [InlineData("application/vnd.oci.image.index.v1+json; charset=utf-8", """{"manifests":[{}]}""", FakeRegistry.OciIndex)]
    public async Task Where_the_type_does_not_tell_the_manifest_does(string type, string json, string mediaType)
    {
        registry.Behave = _ => FakeAnswer.Manifest(type, json);

        (await probe.Ask(registry)).ShouldBeOfType<ProbeResult.Found>().MediaType.ShouldBe(mediaType);
    }

    [Theory]
    [InlineData("hello")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"mediaType\":7}")]
    [InlineData("")]
    public async Task Neither_type_nor_body_of_a_manifest_is_no_answer(string body)
    {
        registry.Behave = _ => FakeAnswer.Manifest("text/plain", body);

        (await probe.Ask(registry)).ToString().ShouldBe("unreachable (not a registry's answer: no image manifest)");
    }

    [Fact]
    public async Task A_schema_1_manifest_without_its_type_is_missing()
    {
        registry.Behave = _ => FakeAnswer.Manifest("text/plain", """{"schemaVersion":1,"fsLayers":[]}""");

        (await probe.Ask(registry)).ShouldBeOfType<ProbeResult.Missing>();
    }

    [Fact]
    public async Task A_manifest_beyond_4_mib_is_missing_because_it_is_of_no_use()
    {
        registry.Behave = _ => new FakeAnswer(200) { Body = new byte[5 * 1024 * 1024] };

        (await probe.Ask(registry)).ToString().ShouldBe("missing (only as a manifest larger than 4 MiB)");
    }

    [Fact]
    public async Task Another_digest_than_the_one_asked_for_is_missing_whether_stated_or_computed()
    {
        var asked = "library/nginx@sha256:" + new string('a', 64);
        registry.Behave = _ => FakeAnswer.Manifest(FakeRegistry.OciManifest) with
        {
            Headers = new() { ["Content-Type"] = FakeRegistry.OciManifest, ["Docker-Content-Digest"] = "sha256:" + new string('b', 64) },
        };
        (await probe.Ask(registry, asked)).ToString().ShouldBe("missing (only with another digest than the one asked for)");

        registry.Behave = _ => FakeAnswer.Manifest(FakeRegistry.OciManifest);
        (await probe.Ask(registry, asked)).ToString().ShouldBe("missing (only with another digest than the one asked for)");
    }

    [Theory]
    [InlineData("sha256")]
    [InlineData("sha384")]
    [InlineData("sha512")]
    public async Task A_digest_that_the_registry_does_not_state_is_computed_from_the_manifest(string algorithm)
    {
        var body = Encoding.UTF8.GetBytes(FakeRegistry.ManifestJson);
        var hash = algorithm switch { "sha256" => SHA256.HashData(body), "sha384" => SHA384.HashData(body), _ => SHA512.HashData(body) };
        var digest = $"{algorithm}:{Convert.ToHexStringLower(hash)}";
        registry.Behave = _ => FakeAnswer.Manifest(FakeRegistry.OciManifest) with
        {
            Headers = new()
            {
                ["Content-Type"] = FakeRegistry.OciManifest,
                ["Docker-Content-Digest"] = algorithm == "sha256" ? "nonsense" : $"sha256:{Convert.ToHexStringLower(SHA256.HashData(body))}",
            },
        };

        (await probe.Ask(registry, $"library/nginx@{digest}")).ShouldBeOfType<ProbeResult.Found>().Digest.ShouldBe(digest);

        registry.Requests.Select(r => r.Method).ShouldBe(["HEAD", "GET"]);
    }

    [Fact]
    public async Task An_artifact_that_is_no_image_is_missing()
    {
        const string Artifact = "application/vnd.oci.artifact.manifest.v1+json";
        registry.Behave = _ => FakeAnswer.Manifest(Artifact, $$"""{"mediaType":"{{Artifact}}"}""");

        (await probe.Ask(registry)).ToString().ShouldBe("missing (no image, but another artifact)");
    }

    [Fact]
    public async Task A_manifest_of_1_gb_is_not_read_to_its_end()
    {
        registry.Behave = r => r.Method == "HEAD"
            ? new FakeAnswer(405)
            : FakeAnswer.RawText("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n{");

        (await probe.Ask(registry)).ToString().ShouldBe("missing (only as a manifest larger than 4 MiB)");
    }

    [Fact]
    public async Task The_configured_credential_is_sent_at_once()
    {
        registry.Add("library/nginx", "1.25");
        registry.Account = ("admin", "pa:ss");

        (await probe.Ask(registry, credential: new Credential.Password("admin", "pa:ss"))).ShouldBeOfType<ProbeResult.Found>();

        registry.Requests.ShouldHaveSingleItem().Authorization
            .ShouldBe("Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("admin:pa:ss")));
    }

    [Fact]
    public async Task A_wrong_password_is_denied_and_not_repeated_in_the_reason()
    {
        registry.Account = ("admin", "right");

        var result = await probe.Ask(registry, credential: new Credential.Password("admin", "wr0ng"));

        result.ToString().ShouldBe("denied (HTTP 401 for user admin)");
    }

    [Fact]
    public async Task Where_the_credential_came_from_is_told()
    {
        registry.Add("library/nginx", "1.25");

        (await probe.Ask(registry, credential: new Credential.Password("admin", "pass"))).CredentialFrom.ShouldBe("auth");
        (await probe.Ask(registry)).CredentialFrom.ShouldBeNull();
    }

    [Fact]
    public async Task Connections_are_kept_and_used_again()
    {
        for (var i = 0; i < 20; i++)
            await probe.Ask(registry);

        registry.Connections.ShouldBe(1);
    }
}
