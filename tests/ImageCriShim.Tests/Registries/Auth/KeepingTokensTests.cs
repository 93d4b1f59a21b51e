using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Registries.Auth;

public sealed class KeepingTokensTests : TokenCase
{
    [Theory]
    [InlineData("", 49, 51)] // 60 s if nothing is said, less the 10 s that a request may take
    [InlineData("\"expires_in\": 5", 49, 51)] // the specification's minimum
    [InlineData("\"expires_in\": 300", 289, 291)]
    [InlineData("\"expires_in\": 300.5", 289, 291)]
    [InlineData("\"Expires_In\": 300", 289, 291)]
    [InlineData("\"expires_in\": 100, \"EXPIRES_IN\": 300", 289, 291)] // the last one, as in Go
    [InlineData("\"expires_in\": 300, \"Expires_in\": null", 289, 291)]
    [InlineData("\"expires_in\": \"300\"", 289, 291)]
    [InlineData("\"expires_in\": -1", 49, 51)]
    [InlineData("\"expires_in\": null", 49, 51)]
    [InlineData("\"expires_in\": 1e300", 12 * 3600 - 11, 12 * 3600 - 9)]
    [InlineData("\"expires_in\": 300, \"issued_at\": \"2001-01-01T00:00:00Z\"", 289, 291)] // by its clock, which is not ours
    public async Task A_token_is_used_until_shortly_before_its_end(string more, int still, int noLonger)
    {
        Tokens.More = more;
        await Ask();

        Time.Advance(TimeSpan.FromSeconds(still));
        await Ask();
        Tokens.Requests.Count.ShouldBe(1);

        Time.Advance(TimeSpan.FromSeconds(noLonger - still));
        (await Ask()).ShouldBeOfType<ProbeResult.Found>();
        Asked.ShouldBe((2 + 1 + 1, 2)); // the new one is had in advance
    }

    [Fact]
    public async Task A_token_that_the_registry_no_longer_takes_is_replaced_once()
    {
        await Ask();
        Tokens.Revoke();
        var before = Asked;

        (await Ask()).ShouldBeOfType<ProbeResult.Found>();

        Asked.ShouldBe((before.Registry + 2, before.Tokens + 1));
    }

    [Theory]
    [InlineData(400)] // ECR Public
    [InlineData(403)]
    public async Task A_registry_may_refuse_an_old_token_in_other_words(int status)
    {
        await Ask();
        Tokens.Revoke();
        Registry.Behave = r => Tokens.Guard(r) is { } refusal ? r.Authorization is null ? refusal : new FakeAnswer(status) : null;
        Time.Advance(TimeSpan.FromSeconds(30));

        (await Ask()).ShouldBeOfType<ProbeResult.Found>();
    }

    [Fact]
    public async Task A_403_is_believed_if_the_token_is_new()
    {
        Registry.Behave = r => Tokens.Guard(r) ?? new FakeAnswer(403);

        (await Ask(Secret)).ToString().ShouldBe($"denied (HTTP 403 for user admin, with a token from {Tokens.Host})");

        Asked.ShouldBe((3, 1)); // refused, by HEAD, by GET
    }

    [Fact]
    public async Task A_token_that_allows_nothing_is_asked_for_once_and_denied()
    {
        Tokens.Allows = _ => false; // token servers do so for what does not exist or is another's

        (await Ask(Secret)).ToString().ShouldBe($"denied (HTTP 401 for user admin, with a token from {Tokens.Host})");
        Asked.ShouldBe((3, 1)); // the last by GET, for the words of the refusal

        (await Ask()).ToString().ShouldBe($"denied (HTTP 401 for no user, with a token from {Tokens.Host})");
    }

    [Fact]
    public async Task Of_two_repositories_one_that_may_not_be_seen_disturbs_the_other_not()
    {
        Tokens.Allows = scope => scope.Contains("nginx");
        await Ask();

        (await Ask(image: "team/app:1")).ShouldBeOfType<ProbeResult.Denied>();
        Asked.ShouldBe((2 + 1, 1 + 1));

        (await Ask()).ShouldBeOfType<ProbeResult.Found>();
        Asked.ShouldBe((2 + 1 + 1, 1 + 1));
    }

    [Fact]
    public async Task A_registry_that_wants_tokens_for_some_repositories_gives_the_others_to_all()
    {
        Tokens.Account = ("admin", "planted-secret");
        Registry.Behave = r => r.Path.Contains("nginx") ? Tokens.Guard(r) : null;
        (await Ask(Secret)).ShouldBeOfType<ProbeResult.Found>();

        (await Ask(new Credential.Password("other", "planted"), "team/app:1")).ShouldBeOfType<ProbeResult.Found>();
    }

    [Fact]
    public async Task A_registry_that_wants_passwords_again_gets_them()
    {
        await Ask(Secret);
        Registry.Account = ("admin", "planted-secret");
        Registry.Behave = _ => null;

        (await Ask(Secret)).ShouldBeOfType<ProbeResult.Found>();
        var before = Asked;
        (await Ask(Secret)).ShouldBeOfType<ProbeResult.Found>();
        Asked.ShouldBe((before.Registry + 1, before.Tokens));
    }

    [Fact]
    public async Task A_password_that_is_accepted_is_sent_at_once_from_then_on()
    {
        Registry.Account = ("admin", "planted-secret");
        Registry.Behave = _ => null;

        for (var i = 1; i <= 3; i++)
        {
            (await Ask(Secret)).ShouldBeOfType<ProbeResult.Found>();
            Registry.Requests.Count.ShouldBe(i);
        }
    }

    [Theory]
    [InlineData(400)]
    [InlineData(403)]
    public async Task A_registry_of_tokens_that_dislikes_passwords_is_asked_without(int status)
    {
        Registry.Behave = r => r.Authorization?.StartsWith("Basic", StringComparison.Ordinal) == true ? new FakeAnswer(status) : Tokens.Guard(r);

        (await Ask(Secret)).ShouldBeOfType<ProbeResult.Found>();
    }

    [Fact]
    public async Task A_registry_of_passwords_that_refuses_head_is_asked_by_get()
    {
        Registry.Account = ("admin", "planted-secret");
        Registry.Behave = r => r.Method == "HEAD" && r.Authorization is not null ? new FakeAnswer(403) : null;

        (await Ask(Secret)).ShouldBeOfType<ProbeResult.Found>();

        Registry.Requests.Select(r => r.Method).ShouldBe(["HEAD", "HEAD", "GET"]);
    }
}
