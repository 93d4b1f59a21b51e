using System.Text;
using ImageCriShim.Registries;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Registries;

/// <summary>A proxy's user and password are sent as Basic with the first request, as Go programs do, and in no other way.</summary>
public sealed class ProxyCredentialsTests : IAsyncLifetime
{
    private const string Basic = "Basic realm=\"corp\"";
    private const string Digest = "Digest realm=\"corp\", nonce=\"abc\", qop=\"auth\", algorithm=MD5";
    private static readonly string s_sent = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("node:planted@proxy"));

    private readonly FakeHttpProxy proxy = FakeHttpProxy.Start();
    private readonly FakeRegistry registry = FakeRegistry.Start();
    private readonly FakeAuthority authority = new();
    private readonly FakeRegistry secure;
    private readonly Dictionary<string, string> environment = [];

    public ProxyCredentialsTests()
    {
        secure = FakeRegistry.StartWithTls(authority.Issue(["registry.corp"]));
        registry.Add("library/nginx", "1.25");
        secure.Add("library/nginx", "1.25");
        proxy.Hosts["registry.corp:5000"] = registry.Port;
        proxy.Hosts["registry.corp:5443"] = secure.Port;
        proxy.Account = ("node", "planted@proxy");
        Use($"http://node:planted%40proxy@{proxy.Host}");
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        authority.Dispose();
        await proxy.DisposeAsync();
        await registry.DisposeAsync();
        await secure.DisposeAsync();
    }

    [Theory]
    [InlineData("http://registry.corp:5000", Basic)]
    [InlineData("http://registry.corp:5000", "Negotiate", Basic)]
    [InlineData("http://registry.corp:5000", "NTLM", Basic)]
    [InlineData("http://registry.corp:5000", Digest, Basic)]
    [InlineData("https://registry.corp:5443", Basic)]
    [InlineData("https://registry.corp:5443", "Negotiate", Basic)]
    [InlineData("https://registry.corp:5443", "NTLM", Basic)]
    [InlineData("https://registry.corp:5443", Digest, Basic)]
    [InlineData("https://registry.corp:5443", "Negotiate", "NTLM", Digest, Basic)]
    public async Task Whatever_else_it_offers_it_gets_Basic_with_the_first_request(string address, params string[] offers)
    {
        proxy.Offers = offers;

        (await Ask(address)).ShouldBeOfType<ProbeResult.Found>();

        proxy.Credentials.ShouldBe([s_sent]);
    }

    [Theory]
    [InlineData("http://registry.corp:5000")]
    [InlineData("https://registry.corp:5443")]
    public async Task One_that_drops_whoever_comes_without_is_passed(string address)
    {
        proxy.DropsStrangers = true;

        (await Ask(address)).ShouldBeOfType<ProbeResult.Found>();
    }

    [Theory]
    [InlineData("http://registry.corp:5000")]
    [InlineData("https://registry.corp:5443")]
    public async Task A_wrong_password_is_tried_once_and_as_Basic_only(string address)
    {
        proxy.Offers = ["Negotiate", "NTLM", Digest, Basic];
        Use($"http://node:wrong@{proxy.Host}");

        (await Ask(address)).ToString().ShouldBe($"unreachable (the proxy says HTTP 407 (asked over the proxy {proxy.Host}))");

        proxy.Credentials.ShouldHaveSingleItem().ShouldStartWith("Basic ");
    }

    [Theory]
    [InlineData("http://registry.corp:5000")]
    [InlineData("https://registry.corp:5443")]
    public async Task Without_a_user_in_its_URL_nothing_is_tried(string address)
    {
        proxy.Offers = ["Negotiate", "NTLM", Digest, Basic];
        Use($"http://{proxy.Host}");

        (await Ask(address)).ToString().ShouldContain("the proxy says HTTP 407");

        proxy.Credentials.ShouldBe([null]);
    }

    [Fact]
    public async Task Nobody_behind_the_proxy_nor_beside_it_is_sent_its_password()
    {
        await Ask("http://registry.corp:5000");
        await Ask("https://registry.corp:5443");
        await Ask(registry.Address); // a loopback address is asked directly

        registry.Requests.Count.ShouldBe(2);
        secure.Requests.Count.ShouldBe(1);
        registry.Requests.Concat(secure.Requests).ShouldAllBe(request => !request.Headers.ContainsKey("Proxy-Authorization"));
    }

    [Fact]
    public async Task A_proxy_that_itself_speaks_https_makes_a_tunnel_too()
    {
        using var certificate = authority.Issue(["127.0.0.1"]);
        await using var outer = FakeHttpProxy.Start(certificate);
        outer.Account = proxy.Account;
        outer.Hosts["registry.corp:5443"] = secure.Port;
        Use($"https://node:planted%40proxy@{outer.Host}");

        (await Ask("https://registry.corp:5443")).ShouldBeOfType<ProbeResult.Found>();

        outer.Credentials.ShouldBe([s_sent]);
    }

    [Theory]
    [InlineData("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy", "the proxy says HTTP 503")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n\r\n", "the proxy's answer is not HTTP")]
    [InlineData("HTTP/1.1 200 Connected\r\n", "the proxy closed the connection")]
    [InlineData("", "the proxy closed the connection")]
    [InlineData("HTTP/1.1 200 Connected\r\n\r\nHTTP/1.1 200 OK\r\n", "the proxy sends something before the registry does")]
    public async Task What_a_proxy_answers_instead_of_a_tunnel_is_told(string answer, string reason)
    {
        proxy.Answer = answer;

        (await Ask("https://registry.corp:5443")).ToString().ShouldBe($"unreachable ({reason} (asked over the proxy {proxy.Host}))");
    }

    [Fact]
    public async Task Endless_headers_of_a_proxy_end()
    {
        proxy.Answer = "HTTP/1.1 200 OK\r\nX: " + new string('x', 64 * 1024) + "\r\n\r\n";

        (await Ask("https://registry.corp:5443")).ToString().ShouldContain("the proxy's answer has too many headers");
    }

    private void Use(string url) => environment["HTTP_PROXY"] = environment["HTTPS_PROXY"] = url;

    private async Task<ProbeResult> Ask(string address)
    {
        using var probe = new ProbeCase(environment: name => environment.GetValueOrDefault(name));
        return await probe.Ask(address, tls: new TlsSettings { Ca = authority.Pem });
    }
}
