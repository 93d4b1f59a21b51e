using ImageCriShim.Configuration;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Rewriting;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Registries;
using Microsoft.Extensions.Logging.Abstractions;

namespace ImageCriShim.Tests.Node;

/// <summary>The same questions, put to the registry that most of our users run.</summary>
[Trait("suite", "node")]
public sealed class RealRegistryTests : IDisposable
{
    private readonly OciLayout layout = new();
    private readonly ProbeCase probe = new();

    public void Dispose()
    {
        layout.Dispose();
        probe.Dispose();
    }

    [Fact]
    public async Task An_open_registry_has_what_was_pushed_by_tag_and_by_digest_and_nothing_else()
    {
        var digest = layout.AddImage("1.25", "hello");
        await using var registry = await RealRegistry.Start();
        await registry.Push(layout, "1.25", "library/nginx");

        var byTag = (await probe.Ask(registry.Address)).ShouldBeOfType<ProbeResult.Found>();
        byTag.Digest.ShouldBe(digest);
        byTag.MediaType.ShouldBe(FakeRegistry.OciManifest);
        (await probe.Ask(registry.Address, $"library/nginx@{digest}")).ShouldBeOfType<ProbeResult.Found>().Digest.ShouldBe(digest);
        (await probe.Ask(registry.Address, "library/nginx:1.26")).ShouldBeOfType<ProbeResult.Missing>();
        (await probe.Ask(registry.Address, "library/redis:1.25")).ShouldBeOfType<ProbeResult.Missing>();
        (await probe.Ask(registry.Address, $"library/nginx@sha256:{new string('a', 64)}")).ShouldBeOfType<ProbeResult.Missing>();
    }

    [Fact]
    public async Task An_index_of_several_platforms_is_found_as_such()
    {
        var digest = layout.AddIndex("multi", "hello");
        await using var registry = await RealRegistry.Start();
        await registry.Push(layout, "multi", "team/app");

        var found = (await probe.Ask(registry.Address, "team/app:multi")).ShouldBeOfType<ProbeResult.Found>();

        found.MediaType.ShouldBe(FakeRegistry.OciIndex);
        found.Digest.ShouldBe(digest);
    }

    [Fact]
    public async Task A_password_opens_a_protected_registry_and_a_wrong_one_or_none_is_denied()
    {
        layout.AddImage("1.25", "hello");
        await using var registry = await RealRegistry.Start(account: ("admin", "pass:w0rd"));
        await registry.Push(layout, "1.25", "library/nginx");

        (await probe.Ask(registry.Address, credential: new Credential.Password("admin", "pass:w0rd"))).ShouldBeOfType<ProbeResult.Found>();
        (await probe.Ask(registry.Address, credential: new Credential.Password("admin", "wrong"))).ToString().ShouldBe("denied (HTTP 401 for user admin)");
        (await probe.Ask(registry.Address)).ToString().ShouldBe("denied (HTTP 401 for no user)");
    }

    [Fact]
    public async Task A_registry_with_a_certificate_of_a_private_authority_is_believed_with_that_authority_only()
    {
        using var authority = new FakeAuthority();
        using var certificate = authority.Issue(["127.0.0.1"]);
        layout.AddImage("1.25", "hello");
        await using var registry = await RealRegistry.Start(certificate: certificate);
        await registry.Push(layout, "1.25", "library/nginx");

        (await probe.Ask(registry.Address, tls: new TlsSettings { Ca = authority.Pem })).ShouldBeOfType<ProbeResult.Found>();
        (await probe.Ask(registry.Address, tls: new TlsSettings { InsecureSkipVerify = true })).ShouldBeOfType<ProbeResult.Found>();
        (await probe.Ask(registry.Address)).ToString().ShouldContain("unknown authority");
        (await probe.Ask($"http://{registry.Host}")).ToString().ShouldBe("denied (HTTP 400, Client sent an HTTP request to an HTTPS server.)"); // "client sent an HTTP request to an HTTPS server"
    }

    [Fact]
    public async Task From_a_config_file_to_the_names_to_pull()
    {
        using var files = new TempDirectory();
        using var authority = new FakeAuthority();
        using var certificate = authority.Issue(["127.0.0.1"]);
        layout.AddImage("1.25", "hello");
        await using var hub = await RealRegistry.Start(account: ("admin", "passw0rd"));
        await using var mirror = await RealRegistry.Start(certificate: certificate);
        await mirror.Push(layout, "1.25", "dockerhub/library/nginx");
        await hub.Push(layout, "1.25", "team/app");
        File.WriteAllText(files.File("ca.pem"), authority.Pem);
        File.WriteAllText(files.File("shim.yaml"), $"""
            address: {hub.Address}
            auth: admin:passw0rd
            registries:
            - address: {mirror.Address}/dockerhub
              tls: {"{"}ca: {files.File("ca.pem")}{"}"}
              images: [docker.io]
            """);
        var config = ConfigFile.Load(files.File("shim.yaml"));
        config.Problems.ShouldBeEmpty();
        using var client = new RegistryClient(TimeProvider.System);
        using var outages = new Outages(client, TimeProvider.System, NullLogger.Instance);
        var resolver = new Resolver(config.Settings!, outages, TimeProvider.System);

        var nginx = await resolver.Resolve("nginx:1.25", TestContext.Current.CancellationToken);
        var app = await resolver.Resolve("quay.io/team/app:1.25", TestContext.Current.CancellationToken);

        nginx.ToPull.Select(c => c.Image).ShouldBe([$"{mirror.Host}/dockerhub/library/nginx:1.25", "nginx:1.25"]);
        nginx.Reason.ShouldBe($"{hub.Host} missing, {mirror.Host} found");
        app.ToPull.Select(c => c.Image).ShouldBe([$"{hub.Host}/team/app:1.25", "quay.io/team/app:1.25"]);
        app.ToPull[0].Registry?.Credentials?.ToString().ShouldBe("admin:***");
    }
}
