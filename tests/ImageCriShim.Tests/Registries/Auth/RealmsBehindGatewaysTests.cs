using System.Security.Cryptography.X509Certificates;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Registries.Auth;

/// <summary>
/// A registry behind a gateway that does its TLS, and that names itself as it sees itself, with plain http: it is asked by https on its own
/// port, or on the one that https has, and no account goes over plain http.
/// </summary>
public sealed class RealmsBehindGatewaysTests : IAsyncLifetime
{
    private const string Scope = ",scope=\"repository:library/nginx:pull\"";
    private const string Wrong = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    private static readonly Credential s_secret = new Credential.Password("admin", "planted-secret");

    private readonly FakeAuthority _authority = new();
    private readonly X509Certificate2 _certificate;
    private readonly FakeHttpProxy _network = FakeHttpProxy.Start(); // knows the names
    private readonly FakeRegistry _harbor;
    private readonly FakeTokenServer _tokens; // what stands at the same host's port 443
    private readonly FakeRegistry _plain = FakeRegistry.Start(); // whatever answers http on that host
    private readonly ProbeCase _probe;
    private bool _hasTokens = true; // the registry's own port

    public RealmsBehindGatewaysTests()
    {
        _certificate = _authority.Issue(["hub.corp"]);
        (_harbor, _tokens) = (FakeRegistry.StartWithTls(_certificate), FakeTokenServer.Start(_certificate));
        _probe = new ProbeCase(environment: name => name is "HTTPS_PROXY" or "HTTP_PROXY" ? $"http://{_network.Host}" : null);
        foreach (var port in new[] { 80, 8080 })
            _network.Hosts[port == 80 ? "hub.corp" : $"hub.corp:{port}"] = _plain.Port;
        _network.Hosts["hub.corp:8443"] = _harbor.Port;
        _harbor.Add("library/nginx", "1.25");
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        _probe.Dispose();
        await _harbor.DisposeAsync();
        await _tokens.DisposeAsync();
        await _plain.DisposeAsync();
        await _network.DisposeAsync();
        _certificate.Dispose();
        _authority.Dispose();
    }

    [Theory]
    [InlineData("http://hub.corp/service/token")]
    [InlineData("http://HUB.corp/service/token")]
    [InlineData("http://hub.corp:80/service/token")]
    [InlineData("http://hub.corp:8443/service/token")]
    [InlineData("//hub.corp:8443/service/token")]
    public async Task The_registrys_own_port_is_asked_by_https(string realm)
    {
        _harbor.Behave = Guard(realm);

        (await Ask("https://hub.corp:8443")).ShouldBeOfType<ProbeResult.Found>();

        _harbor.Requests.Single(IsForToken).Authorization.ShouldNotBeNull().ShouldStartWith("Basic ");
        _plain.Requests.ShouldBeEmpty();
        _tokens.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("http://hub.corp/service/token")]
    [InlineData("http://hub.corp:443/service/token")]
    public async Task So_is_one_on_the_port_that_https_has(string realm)
    {
        _network.Hosts["hub.corp:443"] = _harbor.Port;
        _harbor.Behave = Guard(realm);

        (await Ask("https://hub.corp")).ShouldBeOfType<ProbeResult.Found>();

        _plain.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_port_that_https_has_is_asked_where_the_registry_has_no_tokens()
    {
        _network.Hosts["hub.corp:443"] = int.Parse(_tokens.Host.Split(':')[1]);
        _tokens.Account = ("admin", "planted-secret");
        (_hasTokens, _harbor.Behave) = (false, Guard("http://hub.corp/token"));

        (await Ask("https://hub.corp:8443")).ShouldBeOfType<ProbeResult.Found>();

        _tokens.Requests.ShouldHaveSingleItem();
        _plain.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task But_no_other_port_is()
    {
        _network.Hosts["hub.corp:443"] = int.Parse(_tokens.Host.Split(':')[1]);
        (_hasTokens, _harbor.Behave) = (false, Guard("http://hub.corp:8080/token"));

        (await Ask("https://hub.corp:8443")).ToString().ShouldBe(
            "denied (it wants a token to be had from hub.corp:8080 over plain http, which is not done for a registry with https)");

        _tokens.Requests.ShouldBeEmpty();
        _plain.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Another_host_with_plain_http_gets_nothing()
    {
        _network.Hosts["auth.corp"] = _plain.Port;
        _harbor.Behave = Guard("http://auth.corp/token");

        (await Ask("https://hub.corp:8443")).ToString().ShouldBe(
            "denied (it wants a token to be had from auth.corp over plain http, which is not done for a registry with https)");

        _plain.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("http://hub.corp/service/token/")] // a framework that adds a slash
    [InlineData("http://hub.corp:8443/service/token/")]
    [InlineData("/service/token/")]
    public async Task A_redirect_of_that_host_to_plain_http_is_followed_by_https(string target)
    {
        var behave = Guard("https://hub.corp:8443/service/token");
        _harbor.Behave = request => request.Path.StartsWith("/service/token?", StringComparison.Ordinal)
            ? FakeAnswer.RedirectTo(target)
            : behave(request);

        (await Ask("https://hub.corp:8443")).ShouldBeOfType<ProbeResult.Found>();

        var followed = _harbor.Requests.Single(request => request.Path.StartsWith("/service/token/", StringComparison.Ordinal));
        followed.Authorization.ShouldNotBeNull();
        _plain.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_redirect_of_a_token_server_to_plain_http_elsewhere_is_not_followed()
    {
        _network.Hosts["auth.corp"] = _plain.Port;
        var behave = Guard("https://hub.corp:8443/service/token");
        _harbor.Behave = request => request.Path.StartsWith("/service/token?", StringComparison.Ordinal)
            ? FakeAnswer.RedirectTo("http://auth.corp/token")
            : behave(request);

        (await Ask("https://hub.corp:8443")).ToString().ShouldBe(
            "unreachable (its token server hub.corp:8443: HTTP 307, a redirect from https to plain http, where anybody could answer)");

        _plain.Requests.ShouldBeEmpty();
    }

    private static bool IsForToken(FakeRequest request) => request.Path.Contains("/token", StringComparison.Ordinal);

    private Task<ProbeResult> Ask(string address) =>
        _probe.Ask(address, credential: s_secret, tls: new TlsSettings { Ca = _authority.Pem });

    /// <summary>A registry that gives tokens away itself, for the account, and calls itself as it likes.</summary>
    private Func<FakeRequest, FakeAnswer?> Guard(string realm) => request => request switch
    {
        _ when IsForToken(request) && !_hasTokens => FakeAnswer.RawText(Wrong),
        _ when IsForToken(request) => request.Authorization is null ? new FakeAnswer(401) : FakeAnswer.Json(200, """{"token":"planted"}"""),
        { Authorization: { } sent } when sent.StartsWith("Bearer planted", StringComparison.Ordinal) => null,
        _ => new FakeAnswer(401) { Challenges = [$"Bearer realm=\"{realm}\",service=\"harbor-registry\"{Scope}"] },
    };
}
