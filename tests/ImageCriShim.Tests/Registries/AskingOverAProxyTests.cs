using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Registries;

public sealed class AskingOverAProxyTests : IAsyncLifetime
{
    private readonly FakeHttpProxy proxy = FakeHttpProxy.Start();
    private readonly FakeRegistry registry = FakeRegistry.Start();
    private readonly Dictionary<string, string> environment = [];
    private readonly Lazy<ProbeCase> probe;

    public AskingOverAProxyTests()
    {
        probe = new Lazy<ProbeCase>(() => new ProbeCase(environment: name => environment.GetValueOrDefault(name)));
        registry.Add("library/nginx", "1.25");
        proxy.Hosts["registry.corp:5000"] = registry.Port;
        environment["HTTP_PROXY"] = environment["HTTPS_PROXY"] = $"http://{proxy.Host}";
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        probe.Value.Dispose();
        await proxy.DisposeAsync();
        await registry.DisposeAsync();
    }

    [Fact]
    public async Task A_registry_with_http_is_asked_over_the_proxy()
    {
        (await probe.Value.Ask("http://registry.corp:5000")).ShouldBeOfType<ProbeResult.Found>();

        proxy.Requests.ShouldBe(["HEAD registry.corp:5000"]);
    }

    [Fact]
    public async Task A_registry_with_https_is_tunnelled_to_and_is_the_one_that_shows_a_certificate()
    {
        using var authority = new FakeAuthority();
        using var certificate = authority.Issue(["registry.corp"]);
        await using var secure = FakeRegistry.StartWithTls(certificate);
        secure.Add("library/nginx", "1.25");
        proxy.Hosts["registry.corp:5443"] = secure.Port;

        (await probe.Value.Ask("https://registry.corp:5443", tls: new TlsSettings { Ca = authority.Pem })).ShouldBeOfType<ProbeResult.Found>();

        proxy.Requests.ShouldBe(["CONNECT registry.corp:5443"]);
    }

    [Fact]
    public async Task A_token_server_is_asked_over_the_proxy_as_well()
    {
        await using var tokens = FakeTokenServer.Start();
        proxy.Hosts["auth.corp"] = int.Parse(tokens.Host.Split(':')[1]);
        registry.Behave = r => tokens.Guard(r, "Bearer realm=\"http://auth.corp/token\"");

        (await probe.Value.Ask("http://registry.corp:5000")).ShouldBeOfType<ProbeResult.Found>();

        proxy.Requests.Select(r => r.Split(' ')[1]).Distinct().Order().ShouldBe(["auth.corp", "registry.corp:5000"]);
        tokens.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task An_exception_is_asked_directly()
    {
        environment["NO_PROXY"] = "registry.corp, 127.0.0.0/8";

        (await probe.Value.Ask("http://registry.corp:5000")).ShouldBeOfType<ProbeResult.Unreachable>().Reason.ShouldNotContain("proxy"); // no DNS knows it
        (await probe.Value.Ask(registry)).ShouldBeOfType<ProbeResult.Found>();

        proxy.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_proxy_gets_its_own_password_and_the_registry_its_own()
    {
        proxy.Account = ("node", "planted@proxy");
        environment["HTTP_PROXY"] = $"http://node:planted%40proxy@{proxy.Host}";
        registry.Account = ("admin", "planted-secret");

        (await probe.Value.Ask("http://registry.corp:5000", credential: new Credential.Password("admin", "planted-secret"))).ShouldBeOfType<ProbeResult.Found>();

        registry.Requests.ShouldAllBe(r => r.Authorization != null && r.Authorization.StartsWith("Basic "));
    }

    [Fact]
    public async Task A_proxy_that_refuses_is_named_and_its_password_is_not()
    {
        proxy.Account = ("node", "right");
        environment["HTTPS_PROXY"] = $"http://node:planted@{proxy.Host}";

        (await probe.Value.Ask("https://registry.corp:5000")).ToString()
            .ShouldBe($"unreachable (the proxy says HTTP 407 (asked over the proxy {proxy.Host}))");
        (await probe.Value.Ask("http://unknown.corp:5000")).ShouldBeOfType<ProbeResult.Unreachable>();
    }

    [Fact]
    public async Task A_proxy_that_is_down_is_named()
    {
        using var closed = new ClosedPort();
        environment["HTTPS_PROXY"] = $"http://node:planted@127.0.0.1:{closed.Number}";

        (await probe.Value.Ask("https://registry.corp:5000")).ToString()
            .ShouldBe($"unreachable (connection refused (asked over the proxy 127.0.0.1:{closed.Number}))");
        (await CanConnect("https://registry.corp:5000")).ShouldBeFalse();
    }

    [Fact]
    public async Task Behind_a_proxy_it_is_the_proxy_that_must_be_there_to_connect() =>
        (await CanConnect("https://registry.corp:5000")).ShouldBeTrue();

    private Task<bool> CanConnect(string address)
    {
        RegistryAddress.TryParse(address, out var parsed, out var problem).ShouldBeTrue(problem);
        return probe.Value.Client.CanConnect(parsed!, TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }
}
