using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Registries;

public sealed class RedirectTests : IAsyncLifetime
{
    private static readonly Credential Secret = new Credential.Password("admin", "passw0rd");

    private readonly FakeRegistry registry = FakeRegistry.Start();
    private readonly FakeRegistry elsewhere = FakeRegistry.Start();
    private readonly ProbeCase probe = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        probe.Dispose();
        await registry.DisposeAsync();
        await elsewhere.DisposeAsync();
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(303)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task A_redirect_is_followed_and_the_credential_stays_behind(int status)
    {
        elsewhere.Add("library/nginx", "1.25");
        registry.Behave = request => FakeAnswer.RedirectTo(elsewhere.Address + request.Path, status);

        (await probe.Ask(registry, credential: Secret)).ShouldBeOfType<ProbeResult.Found>();

        registry.Requests.ShouldHaveSingleItem().Authorization.ShouldNotBeNull();
        var followed = elsewhere.Requests.ShouldHaveSingleItem();
        followed.Method.ShouldBe("HEAD");
        followed.Authorization.ShouldBeNull();
        followed.Headers["Accept"].ShouldContain(FakeRegistry.OciIndex);
    }

    [Fact]
    public async Task On_the_same_host_the_credential_goes_along()
    {
        registry.Add("moved/nginx", "1.25");
        registry.Behave = r => r.Path.Contains("library") ? FakeAnswer.RedirectTo("/v2/moved/nginx/manifests/1.25") : null;

        (await probe.Ask(registry, credential: Secret)).ShouldBeOfType<ProbeResult.Found>();

        registry.Requests.ShouldAllBe(r => r.Authorization != null);
    }

    [Fact]
    public async Task Whoever_sends_us_back_does_not_get_the_credential_sent_along()
    {
        registry.Add("any/thing", "1");
        registry.Behave = r => r.Path.Contains("library") ? FakeAnswer.RedirectTo(elsewhere.Address + "/v2/x/manifests/1") : null;
        elsewhere.Behave = _ => FakeAnswer.RedirectTo(registry.Address + "/v2/any/thing/manifests/1");

        (await probe.Ask(registry, credential: Secret)).ShouldBeOfType<ProbeResult.Found>();

        registry.Requests.Select(r => r.Authorization is null).ShouldBe([false, true]);
    }

    [Fact]
    public async Task A_401_from_there_says_that_the_credential_did_not_go_there()
    {
        elsewhere.Account = ("admin", "passw0rd");
        registry.Behave = request => FakeAnswer.RedirectTo(elsewhere.Address + request.Path);

        (await probe.Ask(registry, credential: Secret)).ToString()
            .ShouldBe("denied (HTTP 401 from a host that it redirects to, where the credential must not go)");
    }

    [Fact]
    public async Task A_circle_ends_after_ten_rounds()
    {
        registry.Behave = request => FakeAnswer.RedirectTo(request.Path);

        (await probe.Ask(registry)).ToString().ShouldBe("unreachable (HTTP 307, a redirect to nowhere or one too many)");

        registry.Requests.Count.ShouldBe(11);
    }

    [Theory]
    [InlineData(6)]
    [InlineData(10)]
    public async Task A_long_way_is_gone_to_its_end(int hops)
    {
        registry.Add("library/nginx", "1.25");
        registry.Behave = request => registry.Requests.Count >= hops ? null : FakeAnswer.RedirectTo(request.Path);

        (await probe.Ask(registry)).ShouldBeOfType<ProbeResult.Found>();
    }

    [Theory]
    [InlineData("ftp://example.com/x")]
    [InlineData("file:///etc/passwd")]
    [InlineData("http://")]
    [InlineData("http://xn--\u00e9/x")] // a host that has no name in ASCII
    public async Task A_redirect_to_nowhere_is_no_answer(string target)
    {
        registry.Behave = _ => FakeAnswer.RedirectTo(target);

        (await probe.Ask(registry)).ShouldBeOfType<ProbeResult.Unreachable>();

        registry.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task No_reason_shows_the_target_or_its_query()
    {
        using var closed = new ClosedPort();
        registry.Behave = _ => FakeAnswer.RedirectTo($"http://127.0.0.1:{closed.Number}/x?X-Amz-Signature=s3cret");

        (await probe.Ask(registry)).ToString().ShouldBe("unreachable (connection refused)");
    }

    [Theory]
    [InlineData("http://a.corp", "https://a.corp/x", true)] // the usual step up
    [InlineData("http://a.corp:5000", "https://a.corp/x", true)]
    [InlineData("https://a.corp", "https://A.corp:443/x", true)]
    [InlineData("https://a.corp", "http://a.corp/x", false)]
    [InlineData("https://a.corp", "https://a.corp:8443/x", false)]
    [InlineData("https://a.corp", "https://b.a.corp/x", false)]
    [InlineData("http://a.corp", "https://a.corp:8443/x", false)]
    public void The_credential_stays_with_scheme_host_and_port(string from, string to, bool stays) =>
        Redirection.StaysWith(new Uri(from), new Uri(to)).ShouldBe(stays);
}
