using ImageCriShim.Registries.Auth;

namespace ImageCriShim.Tests.Registries.Auth;

public sealed class RealmTests
{
    [Theory]
    [InlineData("https://hub.corp/v2/a", "https://auth.corp/token", "https://auth.corp/token")] // Docker Hub does so
    [InlineData("https://hub.corp/v2/a", "/service/token", "https://hub.corp/service/token")]
    [InlineData("https://hub.corp/v2/a", "https://hub.corp:8443/token?x=y", "https://hub.corp:8443/token?x=y")]
    [InlineData("http://hub.corp:5000/v2/a", "http://10.0.0.7:5001/auth", "http://10.0.0.7:5001/auth")]
    [InlineData("http://hub.corp:5000/v2/a", "https://auth.corp/token", "https://auth.corp/token")]
    [InlineData("http://169.254.1.1:5000/v2/a", "http://169.254.1.1:5000/token", "http://169.254.1.1:5000/token")] // it is the registry itself
    public void A_url_and_a_path_lead_to_a_token_server(string registry, string realm, string expected)
    {
        Realm.TryFind(new Uri(registry), realm, out var found, out var problem).ShouldBeTrue(problem);

        found!.Uri.AbsoluteUri.ShouldBe(expected);
        found.Otherwise.ShouldBeNull();
    }

    [Theory]
    [InlineData("https://hub.corp/", "http://hub.corp/token", "https://hub.corp/token", null)]
    [InlineData("https://hub.corp/", "http://HUB.CORP:80/token?x=y", "https://hub.corp/token?x=y", null)]
    [InlineData("https://hub.corp/", "http://hub.corp:443/token", "https://hub.corp/token", null)]
    [InlineData("https://hub.corp:8443/", "http://hub.corp:8443/token", "https://hub.corp:8443/token", null)]
    [InlineData("https://hub.corp:8443/", "http://hub.corp/token", "https://hub.corp:8443/token", "https://hub.corp/token")]
    [InlineData("https://10.0.0.7:5000/", "http://10.0.0.7/token", "https://10.0.0.7:5000/token", "https://10.0.0.7/token")]
    [InlineData("https://[fd00::7]:5000/", "http://[fd00::7]/token", "https://[fd00::7]:5000/token", "https://[fd00::7]/token")]
    public void A_registry_with_https_that_names_itself_with_http_is_asked_by_https(string registry, string realm, string first, string? second)
    {
        Realm.TryFind(new Uri(registry), realm, out var found, out var problem).ShouldBeTrue(problem);

        (found!.Uri.AbsoluteUri, found.Otherwise?.AbsoluteUri).ShouldBe((first, second));
    }

    [Theory]
    [InlineData("https://hub.corp/", "http://auth.corp/token", "plain http")]
    [InlineData("https://hub.corp/", "http://hub.corp:8080/token", "plain http")]
    [InlineData("https://hub.corp:8443/", "http://hub.corp:443/token", "plain http")]
    [InlineData("https://hub.corp/", "http://a.hub.corp/token", "plain http")]
    [InlineData("https://hub.corp/", "http://169.254.169.254/latest", "169.254.169.254 over plain http")]
    [InlineData("http://hub.corp/", "http://169.254.169.254/latest", "169.254.169.254, an address")]
    [InlineData("http://hub.corp/", "//169.254.169.254/latest", "169.254.169.254, an address")]
    [InlineData("http://hub.corp/", "http://[::ffff:169.254.169.254]/latest", "an address")]
    [InlineData("https://hub.corp/", "https://[fe80::1]/latest", "an address")]
    [InlineData("https://hub.corp/", "ftp://auth.corp/token", "no token server")]
    [InlineData("https://hub.corp/", "file:///etc/passwd", "no token server")]
    [InlineData("https://hub.corp/", "http://", "no token server")]
    [InlineData("https://hub.corp/", "https://xn--\u00e9/token", "no token server")] // a host that has no name in ASCII
    [InlineData("https://hub.corp/", "", "no token server")]
    [InlineData("https://hub.corp/", null, "no token server")]
    public void Where_a_secret_must_not_go_nothing_is_asked(string registry, string? realm, string reason)
    {
        Realm.TryFind(new Uri(registry), realm, out var found, out var problem).ShouldBeFalse();

        found.ShouldBeNull();
        problem!.ShouldContain(reason);
    }
}
