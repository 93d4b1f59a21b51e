using System.Web;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Registries.Auth;

/// <summary>Redirects of token requests: on the same host the account goes along, elsewhere it does not.</summary>
public sealed class RedirectingTokenServersTests : TokenCase
{
    private static readonly Credential s_identity = new Credential.IdentityToken("planted-identity");

    public static TheoryData<int> Statuses { get; } = [301, 302, 303, 307, 308];

    [Theory, MemberData(nameof(Statuses))]
    public async Task On_the_same_host_the_account_goes_along(int status)
    {
        Tokens.Account = ("admin", "planted-secret");
        Tokens.Behave = Move(status, "/moved");

        (await Ask(Secret)).ShouldBeOfType<ProbeResult.Found>();

        Tokens.Requests.Select(request => request.Authorization is null).ShouldBe([false, false]);
    }

    [Theory, MemberData(nameof(Statuses))]
    public async Task Elsewhere_it_does_not_and_a_token_for_nobody_is_taken(int status)
    {
        await using var elsewhere = FakeTokenServer.Start();
        Tokens.Behave = Move(status, elsewhere.Realm);
        Registry.Behave = request => Tokens.Guard(request) is { } refusal && elsewhere.Guard(request) is not null ? refusal : null;

        (await Ask(Secret)).ShouldBeOfType<ProbeResult.Found>();

        var asked = elsewhere.Requests.ShouldHaveSingleItem();
        asked.Authorization.ShouldBeNull();
        asked.Path.ShouldEndWith("scope=repository%3Alibrary%2Fnginx%3Apull");
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task An_identity_token_is_posted_again_on_the_same_host(int status)
    {
        Tokens.IdentityToken = "planted-identity";
        Tokens.Behave = request => request.Path == "/token" ? FakeAnswer.RedirectTo("/moved", status) : null;

        (await Ask(s_identity)).ShouldBeOfType<ProbeResult.Found>();

        Tokens.Requests.ShouldAllBe(request => request.Method == "POST" && request.Body.Contains("planted-identity"));
    }

    [Theory, MemberData(nameof(Statuses))]
    public async Task An_identity_token_stays_behind_elsewhere(int status)
    {
        await using var elsewhere = FakeTokenServer.Start();
        Tokens.Behave = _ => FakeAnswer.RedirectTo(elsewhere.Realm, status);
        Registry.Behave = request => Tokens.Guard(request) is { } refusal && elsewhere.Guard(request) is not null ? refusal : null;

        (await Ask(s_identity)).ShouldBeOfType<ProbeResult.Found>();

        var asked = elsewhere.Requests.ShouldHaveSingleItem();
        (asked.Method, asked.Body, asked.Authorization).ShouldBe(("GET", "", null));
        HttpUtility.ParseQueryString(asked.Path.Split('?')[1])["scope"].ShouldBe("repository:library/nginx:pull");
    }

    [Fact]
    public async Task Whoever_sends_us_back_does_not_get_the_account_sent_along()
    {
        await using var elsewhere = FakeRegistry.Start();
        Tokens.Account = ("admin", "planted-secret");
        Tokens.Behave = request => request.Path == "/back" ? null : FakeAnswer.RedirectTo(elsewhere.Address);
        elsewhere.Behave = _ => FakeAnswer.RedirectTo($"{Tokens.Address}/back");

        (await Ask(Secret)).ToString().ShouldBe($"denied (its token server {Tokens.Host} says HTTP 401 (UNAUTHORIZED: who are you?) for user admin)");

        Tokens.Requests.Select(request => request.Authorization is null).ShouldBe([false, true]);
        elsewhere.Requests.ShouldHaveSingleItem().Authorization.ShouldBeNull();
    }

    [Fact]
    public async Task A_circle_ends_after_ten_rounds()
    {
        Tokens.Behave = request => FakeAnswer.RedirectTo(request.Path);

        (await Ask(Secret)).ToString().ShouldBe($"unreachable (its token server {Tokens.Host} says HTTP 307)");

        Tokens.Requests.Count.ShouldBe(11);
    }

    [Fact]
    public async Task No_cloud_is_asked_for_its_secrets()
    {
        Tokens.Behave = _ => FakeAnswer.RedirectTo("http://169.254.169.254/latest/meta-data");

        (await Ask(Secret)).ToString().ShouldBe(
            $"unreachable (its token server {Tokens.Host}: 169.254.169.254 has the address 169.254.169.254, "
            + "where clouds keep secrets of their own: nothing is asked there)");
    }

    private static Func<FakeRequest, FakeAnswer?> Move(int status, string target) => request =>
        request.Path.StartsWith("/token?", StringComparison.Ordinal)
            ? FakeAnswer.RedirectTo(target + request.Path["/token".Length..], status)
            : null;
}
