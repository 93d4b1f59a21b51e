using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Registries.Auth;

/// <summary>
/// A vanity host redirects to a registry that has a challenge of its own: a token for nobody is asked for there, and sent to it alone.
/// </summary>
public sealed class ChallengedElsewhereTests : IAsyncLifetime
{
    private static readonly Credential s_secret = new Credential.Password("admin", "planted-secret");

    private readonly FakeRegistry _vanity = FakeRegistry.Start();
    private readonly FakeRegistry _real = FakeRegistry.Start();
    private readonly FakeTokenServer _tokens = FakeTokenServer.Start(); // of the real one
    private readonly FakeTime _time = new();
    private readonly ProbeCase _probe;

    public ChallengedElsewhereTests()
    {
        _probe = new ProbeCase(_time);
        _real.Add("library/nginx", "1.25");
        _real.Add("org/app", "1.25");
        _real.Behave = request => _tokens.Guard(request);
        _vanity.Behave = request => FakeAnswer.RedirectTo(_real.Address + request.Path);
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        _probe.Dispose();
        await _vanity.DisposeAsync();
        await _real.DisposeAsync();
        await _tokens.DisposeAsync();
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(303)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task A_token_for_nobody_is_asked_for_and_sent_to_it_alone(int status)
    {
        _vanity.Behave = request => FakeAnswer.RedirectTo(_real.Address + request.Path, status);

        (await _probe.Ask(_vanity)).ShouldBeOfType<ProbeResult.Found>();

        _tokens.Requests.ShouldHaveSingleItem().Authorization.ShouldBeNull();
        _real.Requests.Select(request => request.Authorization).ShouldBe([null, "Bearer planted-token-1"]);
        _vanity.Requests.ShouldHaveSingleItem().Authorization.ShouldBeNull();
    }

    [Theory]
    [InlineData("password")]
    [InlineData("identity token")]
    [InlineData("registry token")]
    public async Task The_credential_of_the_first_stays_there(string kind)
    {
        Credential account = kind switch
        {
            "password" => s_secret,
            "identity token" => new Credential.IdentityToken("planted"),
            _ => new Credential.RegistryToken("planted"),
        };

        (await _probe.Ask(_vanity, credential: account)).ShouldBeOfType<ProbeResult.Found>();

        var asked = _tokens.Requests.ShouldHaveSingleItem();
        (asked.Method, asked.Authorization).ShouldBe(("GET", null));
        _real.Requests.Select(request => request.Authorization).ShouldBe([null, "Bearer planted-token-1"]);
    }

    [Fact]
    public async Task A_token_of_the_first_stays_there_too()
    {
        await using var own = FakeTokenServer.Start();
        own.Sign = _ => "own-token";
        _vanity.Behave = request => own.Guard(request) ?? FakeAnswer.RedirectTo(_real.Address + request.Path);

        (await _probe.Ask(_vanity, credential: s_secret)).ShouldBeOfType<ProbeResult.Found>();
        (await _probe.Ask(_vanity, credential: s_secret)).ShouldBeOfType<ProbeResult.Found>();

        _real.Requests.ShouldNotContain(request => request.Authorization == "Bearer own-token");
        _vanity.Requests.ShouldNotContain(request => request.Authorization == "Bearer planted-token-1");
        (own.Requests.Count, _tokens.Requests.Count).ShouldBe((1, 1)); // both are kept
    }

    [Fact]
    public async Task A_scope_that_is_not_given_is_of_the_repository_there()
    {
        _vanity.Behave = _ => FakeAnswer.RedirectTo($"{_real.Address}/v2/org/app/manifests/1.25");
        _real.Behave = request => _tokens.Guard(request, $"Bearer realm=\"{_tokens.Realm}\"");

        (await _probe.Ask(_vanity)).ShouldBeOfType<ProbeResult.Found>();

        _tokens.Requests.ShouldHaveSingleItem().Path.ShouldBe("/token?scope=repository%3Aorg%2Fapp%3Apull");
    }

    [Fact]
    public async Task A_token_that_it_no_longer_takes_is_replaced()
    {
        await _probe.Ask(_vanity);
        _tokens.Revoke();

        (await _probe.Ask(_vanity)).ShouldBeOfType<ProbeResult.Found>();

        _tokens.Requests.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Over_two_hosts_that_both_want_one_each_gets_its_own()
    {
        await using var middle = FakeRegistry.Start();
        await using var others = FakeTokenServer.Start();
        others.Sign = _ => "middle-token";
        middle.Behave = request => others.Guard(request) ?? FakeAnswer.RedirectTo(_real.Address + request.Path);
        _vanity.Behave = request => FakeAnswer.RedirectTo(middle.Address + request.Path);

        (await _probe.Ask(_vanity, credential: s_secret)).ShouldBeOfType<ProbeResult.Found>();

        middle.Requests.Select(request => request.Authorization).ShouldBe([null, "Bearer middle-token"]);
        _real.Requests.Select(request => request.Authorization).ShouldBe([null, "Bearer planted-token-1"]);
    }

    [Fact]
    public async Task Data_of_a_third_host_is_had_without_it()
    {
        await using var store = FakeRegistry.Start();
        store.Add("library/nginx", "1.25");
        _real.Behave = request => _tokens.Guard(request) ?? FakeAnswer.RedirectTo(store.Address + request.Path);

        (await _probe.Ask(_vanity)).ShouldBeOfType<ProbeResult.Found>();

        store.Requests.ShouldHaveSingleItem().Authorization.ShouldBeNull();
    }

    [Fact]
    public async Task Where_nobody_gets_a_token_or_it_allows_nothing_the_image_is_denied()
    {
        _tokens.Account = ("admin", "planted-secret");
        (await _probe.Ask(_vanity, credential: s_secret)).ToString().ShouldBe(
            $"denied (its token server {_tokens.Host} says HTTP 401 (UNAUTHORIZED: who are you?) for no user, for a host that it redirects to)");

        (_tokens.Account, _tokens.Allows) = (null, _ => false);
        (await _probe.Ask(_vanity, credential: s_secret)).ToString().ShouldBe(
            $"denied (HTTP 401 from a host that it redirects to, for no user, with a token from {_tokens.Host})");
        _tokens.Requests.ShouldAllBe(request => request.Authorization == null);
    }

    [Theory]
    [InlineData("Basic realm=\"x\"")]
    [InlineData("Bearer service=\"x\"")]
    [InlineData("Bearer realm=\"http://169.254.169.254/token\"")]
    [InlineData("Negotiate")]
    public async Task What_is_no_such_challenge_is_not_answered(string challenge)
    {
        _real.Behave = _ => new FakeAnswer(401) { Challenges = [challenge] };

        (await _probe.Ask(_vanity, credential: s_secret)).ToString()
            .ShouldBe("denied (HTTP 401 from a host that it redirects to, where the credential must not go)");

        _real.Requests.ShouldHaveSingleItem().Authorization.ShouldBeNull();
    }

    [Fact]
    public async Task One_that_changes_its_challenge_for_ever_is_left()
    {
        var round = 0;
        _real.Behave = _ => new FakeAnswer(401) { Challenges = [$"Bearer realm=\"{_tokens.Realm}\",service=\"s{round++}\""] };

        (await _probe.Ask(_vanity)).ShouldBeOfType<ProbeResult.Denied>();

        (_vanity.Requests.Count, _real.Requests.Count, _tokens.Requests.Count).ShouldBe((1, 4, 3));
    }

    [Fact]
    public async Task A_token_that_it_repeats_in_its_refusal_is_hidden()
    {
        _tokens.Sign = _ => "short";
        _real.Behave = request => request.Authorization is null
            ? _tokens.Guard(request)
            : request.Method == "HEAD" ? new FakeAnswer(403)
            : FakeAnswer.Json(403, """{"errors":[{"code":"DENIED","message":"short is bad"}]}""");

        (await _probe.Ask(_vanity)).ToString().ShouldEndWith("DENIED: *** is bad)");
    }
}
