using System.IO.Compression;
using System.Text;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Registries;

/// <summary>Gateways compress what nobody wanted compressed (RFC 9110 section 8.4).</summary>
public sealed class GzippedBodiesTests : IAsyncLifetime
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
    public async Task Nobody_is_asked_for_them()
    {
        await using var tokens = FakeTokenServer.Start();
        registry.Add("library/nginx", "1.25");
        registry.Behave = request => tokens.Guard(request);

        await probe.Ask(registry);

        registry.Requests.Concat(tokens.Requests).ShouldAllBe(request => request.Headers["Accept-Encoding"] == "identity");
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("GZIP")]
    [InlineData("x-gzip")]
    public async Task A_manifest_is_unpacked_and_its_digest_is_of_what_comes_out(string coding)
    {
        var digest = registry.Add("library/nginx", "1.25");
        registry.Behave = request => request.Method == "HEAD" ? new FakeAnswer(405) : Packed(200, FakeRegistry.ManifestJson, FakeRegistry.OciManifest, coding);

        (await probe.Ask(registry)).ShouldBeOfType<ProbeResult.Found>().Digest.ShouldBe(digest);
        (await probe.Ask(registry, $"library/nginx@{digest}")).ShouldBeOfType<ProbeResult.Found>().Digest.ShouldBe(digest);
    }

    [Fact]
    public async Task So_is_an_index_with_its_platforms()
    {
        const string index = """{"schemaVersion":2,"manifests":[{"platform":{"os":"linux","architecture":"s390x"}}]}""";
        registry.Behave = request => Packed(200, request.Method == "HEAD" ? "" : index, FakeRegistry.OciIndex);

        (await probe.Ask(registry)).ToString().ShouldBe("missing (only for linux/s390x)");
    }

    [Fact]
    public async Task So_is_a_token()
    {
        await using var tokens = FakeTokenServer.Start();
        registry.Add("library/nginx", "1.25");
        registry.Behave = request => request.Authorization == "Bearer abc" ? null : tokens.Guard(request);
        tokens.Behave = _ => Packed(200, """{"token":"abc"}""", "application/json");

        (await probe.Ask(registry)).ShouldBeOfType<ProbeResult.Found>();
    }

    [Fact]
    public async Task So_are_a_registrys_words()
    {
        registry.Behave = request => request.Method == "HEAD"
            ? new FakeAnswer(403)
            : Packed(403, """{"errors":[{"code":"DENIED","message":"not on Sundays"}]}""", "application/json");

        (await probe.Ask(registry)).ToString().ShouldContain("DENIED: not on Sundays");
    }

    [Fact]
    public async Task So_is_the_error_of_a_token_server()
    {
        await using var tokens = FakeTokenServer.Start();
        registry.Behave = request => tokens.Guard(request);
        tokens.Behave = _ => Packed(401, """{"errors":[{"code":"ROBOT_EXPIRED"}]}""", "application/json");

        (await probe.Ask(registry, credential: new Credential.Password("admin", "planted"))).ToString().ShouldContain("ROBOT_EXPIRED");
    }

    [Fact]
    public async Task A_bomb_is_unpacked_to_the_bound_and_no_further()
    {
        const int gibibyte = 1024;
        var bomb = Bomb(gibibyte);
        registry.Behave = request => request.Method == "HEAD" ? new FakeAnswer(405) : PackedBytes(200, bomb, FakeRegistry.OciManifest);
        (await probe.Ask(registry)).ShouldBeOfType<ProbeResult.Missing>(); // whatever is made once is there now
        var before = GC.GetTotalAllocatedBytes(precise: true);

        (await probe.Ask(registry)).ToString().ShouldBe("missing (only as a manifest larger than 4 MiB)");

        (GC.GetTotalAllocatedBytes(precise: true) - before).ShouldBeLessThan(128L * 1024 * 1024); // the fake's own bomb and buffers included
    }

    [Fact]
    public async Task What_is_no_gzip_is_said_to_be_none()
    {
        registry.Behave = request => request.Method == "HEAD" ? new FakeAnswer(405) : PackedBytes(200, Encoding.UTF8.GetBytes("{}"), FakeRegistry.OciManifest);

        (await probe.Ask(registry)).ToString().ShouldBe("unreachable (its answer says gzip and is not)");
    }

    [Fact]
    public async Task Nor_is_what_breaks_off()
    {
        registry.Behave = request => request.Method == "HEAD" ? new FakeAnswer(405) : PackedBytes(200, Pack(FakeRegistry.ManifestJson)[..^12], FakeRegistry.OciManifest);

        (await probe.Ask(registry)).ShouldBeOfType<ProbeResult.Unreachable>();
    }

    private static FakeAnswer Packed(int status, string body, string type, string coding = "gzip") => PackedBytes(status, Pack(body), type, coding);

    private static FakeAnswer PackedBytes(int status, byte[] body, string type, string coding = "gzip") =>
        new(status) { Body = body, Headers = { ["Content-Type"] = type, ["Content-Encoding"] = coding } };

    private static byte[] Pack(string text)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionMode.Compress))
            gzip.Write(Encoding.UTF8.GetBytes(text));
        return packed.ToArray();
    }

    private static byte[] Bomb(int mebibytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
        {
            var zeros = new byte[1024 * 1024];
            for (var i = 0; i < mebibytes; i++)
                gzip.Write(zeros);
        }
        return packed.ToArray();
    }
}
