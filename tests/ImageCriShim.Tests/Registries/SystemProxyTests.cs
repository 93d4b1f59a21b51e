using System.Text;
using ImageCriShim.Registries;

namespace ImageCriShim.Tests.Registries;

/// <summary>The cases of golang.org/x/net/http/httpproxy that a registry can meet, and what containerd would do in each.</summary>
public sealed class SystemProxyTests
{
    [Theory]
    [InlineData("HTTPS_PROXY=http://proxy.corp:3128", "https://quay.io/v2/", "http://proxy.corp:3128/")]
    [InlineData("https_proxy=http://proxy.corp:3128", "https://quay.io/v2/", "http://proxy.corp:3128/")]
    [InlineData("HTTPS_PROXY=http://upper:1 https_proxy=http://lower:1", "https://quay.io/v2/", "http://upper:1/")]
    [InlineData("HTTPS_PROXY= https_proxy=http://lower:1", "https://quay.io/v2/", "http://lower:1/")]
    [InlineData("HTTPS_PROXY=proxy.corp:3128", "https://quay.io/v2/", "http://proxy.corp:3128/")]
    [InlineData("HTTPS_PROXY=proxy.corp", "https://quay.io/v2/", "http://proxy.corp/")]
    [InlineData("HTTPS_PROXY=https://proxy.corp", "https://quay.io/v2/", "https://proxy.corp/")]
    [InlineData("HTTPS_PROXY=socks5://proxy.corp", "https://quay.io/v2/", "socks5://proxy.corp:1080/")]
    [InlineData("HTTPS_PROXY=socks5h://proxy.corp:9", "https://quay.io/v2/", "socks5://proxy.corp:9/")]
    [InlineData("HTTPS_PROXY=http://me:planted@proxy.corp:3128", "https://quay.io/v2/", "http://proxy.corp:3128/")]
    [InlineData("HTTP_PROXY=http://proxy.corp:3128", "https://quay.io/v2/", null)]
    [InlineData("HTTP_PROXY=http://proxy.corp:3128", "http://sealos.hub:5000/v2/", "http://proxy.corp:3128/")]
    [InlineData("HTTPS_PROXY=http://proxy.corp:3128", "http://sealos.hub:5000/v2/", null)]
    [InlineData("ALL_PROXY=http://proxy.corp:3128", "https://quay.io/v2/", null)] // curl's, not Go's
    [InlineData("HTTPS_PROXY=http://", "https://quay.io/v2/", null)]
    [InlineData("HTTPS_PROXY=http://a:b:c", "https://quay.io/v2/", null)]
    [InlineData("", "https://quay.io/v2/", null)]
    public void The_proxy_is_the_one_of_the_scheme(string environment, string registry, string? proxy) =>
        (Proxy(environment).GetProxy(new Uri(registry))?.AbsoluteUri).ShouldBe(proxy);

    [Theory]
    [InlineData("", "https://localhost/")]
    [InlineData("", "https://localhost:5000/")]
    [InlineData("", "https://127.0.0.1:5000/")]
    [InlineData("", "https://127.9.9.9/")]
    [InlineData("", "https://[::1]:5000/")]
    [InlineData("*", "https://quay.io/")]
    [InlineData("example.org, *", "https://10.0.0.1/")]
    [InlineData("corp.com", "https://corp.com/")]
    [InlineData("corp.com", "https://hub.corp.com:5000/")]
    [InlineData("CORP.com", "https://Hub.Corp.COM/")]
    [InlineData(".corp.com", "https://hub.corp.com/")]
    [InlineData("*.corp.com", "https://a.hub.corp.com/")]
    [InlineData(" example.org ,\tcorp.com ", "https://corp.com/")]
    [InlineData("corp.com:5000", "https://hub.corp.com:5000/")]
    [InlineData("corp.com:443", "https://corp.com/")]
    [InlineData("sealos.hub:5000", "https://sealos.hub:5000/")]
    [InlineData("10.0.0.0/8", "https://10.200.3.4:5000/")]
    [InlineData("10.1.2.3/8", "https://10.200.3.4/")] // the range that the address lies in
    [InlineData("192.168.0.0/22", "https://192.168.3.255/")]
    [InlineData("0.0.0.0/0", "https://9.9.9.9/")]
    [InlineData("10.1.2.3", "https://10.1.2.3:5000/")]
    [InlineData("10.1.2.3:5000", "https://10.1.2.3:5000/")]
    [InlineData("fd00::/8", "https://[fd12::1]:5000/")]
    [InlineData("fd12::1", "https://[fd12::1]:5000/")]
    [InlineData("[fd12::1]:5000", "https://[fd12::1]:5000/")]
    public void Exceptions_are_asked_directly(string noProxy, string registry) =>
        Proxy($"HTTPS_PROXY=http://proxy.corp:3128|NO_PROXY={noProxy}").GetProxy(new Uri(registry)).ShouldBeNull();

    [Theory]
    [InlineData("corp.com", "https://notcorp.com/")]
    [InlineData("corp.com", "https://corp.com.evil.org/")]
    [InlineData(".corp.com", "https://corp.com/")]
    [InlineData("*.corp.com", "https://corp.com/")]
    [InlineData("corp.com:5000", "https://corp.com/")]
    [InlineData("corp.com:x", "https://corp.com/")]
    [InlineData("10.0.0.0/8", "https://11.0.0.1/")]
    [InlineData("192.168.0.0/22", "https://192.168.4.0/")]
    [InlineData("10.0.0.0/8", "https://hub.corp.com/")] // whatever it resolves to
    [InlineData("10.0.0.0/33", "https://10.0.0.1/")]
    [InlineData("10.0.0.0/x", "https://10.0.0.1/")]
    [InlineData("10.1.2.3:443", "https://10.1.2.3:5000/")]
    [InlineData("10.1", "https://10.0.0.1/")]
    [InlineData("fd00::/8", "https://[fe12::1]:5000/")]
    [InlineData("fd00::/8", "https://10.0.0.1/")]
    [InlineData(", ,:5000,.,", "https://quay.io/")]
    [InlineData("local", "https://localhost.corp/")]
    public void Nothing_else_is(string noProxy, string registry)
    {
        Proxy($"HTTPS_PROXY=http://proxy.corp:3128|NO_PROXY={noProxy}").GetProxy(new Uri(registry)).ShouldNotBeNull();
        Proxy($"https_proxy=http://proxy.corp:3128|no_proxy={noProxy}").GetProxy(new Uri(registry)).ShouldNotBeNull();
    }

    [Fact]
    public void Each_proxy_gets_its_own_password_and_nobody_else_any()
    {
        var proxy = Proxy("HTTP_PROXY=http://one:pass%40word@first:1|HTTPS_PROXY=http://two@second:2");

        Sent(proxy, "http://registry:5000/").ShouldBe("one:pass@word");
        Sent(proxy, "https://registry:5000/").ShouldBe("two:");
        Sent(proxy, "http://127.0.0.1:5000/").ShouldBeNull();
    }

    [Fact]
    public void The_password_of_a_SOCKS_proxy_is_in_no_header()
    {
        var proxy = Proxy("HTTP_PROXY=http://one:word@first:1|HTTPS_PROXY=socks5h://two:word@second:2");

        Sent(proxy, "https://registry:5000/").ShouldBeNull();
        proxy.MakesTunnel(new Uri("https://registry:5000/")).ShouldBeFalse();
        proxy.FindSocksLogin(proxy.GetProxy(new Uri("https://registry:5000/"))!)!.UserName.ShouldBe("two");
    }

    private static string? Sent(SystemProxy proxy, string destination) => proxy.FindCredential(new Uri(destination)) is { Scheme: "Basic", Parameter: { } sent }
        ? Encoding.UTF8.GetString(Convert.FromBase64String(sent))
        : null;

    private static SystemProxy Proxy(string environment)
    {
        var variables = environment.Split(environment.Contains('|') ? '|' : ' ').Select(v => v.Split('=', 2)).Where(v => v.Length == 2).ToDictionary(v => v[0], v => v[1]);
        return new SystemProxy(name => variables.GetValueOrDefault(name));
    }
}
