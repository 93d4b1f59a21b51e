using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Registries.Auth;

/// <summary>A password that nobody asked for, or an old token, is dropped once where it may be all that the registry dislikes.</summary>
public sealed class DislikedCredentialsTests : TokenCase
{
    private static readonly string[] s_basic = ["Basic realm=\"hub\""];

    /// <summary>401 without a challenge that can be answered, and what else gateways say.</summary>
    public static TheoryData<int, string?> Dislikes { get; } = new()
    {
        { 400, null },
        { 401, null },
        { 401, "Negotiate" },
        { 401, "Bearer service=\"hub\"" },
        { 403, null },
        { 404, null },
        { 500, null },
        { 503, null },
    };

    [Theory, MemberData(nameof(Dislikes))]
    public async Task A_password_that_an_open_registry_dislikes_is_left_out(int status, string? challenge)
    {
        Registry.Behave = request => request.Authorization is null ? null : Dislike(status, challenge);

        (await Ask(Secret)).ShouldBeOfType<ProbeResult.Found>();
        Registry.Requests.Select(request => request.Authorization is null).ShouldBe([false, true]);

        (await Ask(Secret)).ShouldBeOfType<ProbeResult.Found>();
        Registry.Requests.Count.ShouldBe(2 + 1); // that is remembered
    }

    [Theory, MemberData(nameof(Dislikes))]
    public async Task A_registry_that_dislikes_passwords_and_wants_tokens_says_so(int status, string? challenge)
    {
        Registry.Behave = request => request.Authorization?.StartsWith("Basic", StringComparison.Ordinal) == true
            ? Dislike(status, challenge)
            : Tokens.Guard(request);

        (await Ask(Secret)).ShouldBeOfType<ProbeResult.Found>();
    }

    [Theory, MemberData(nameof(Dislikes))]
    public async Task A_registry_token_that_an_open_registry_dislikes_is_left_out(int status, string? challenge)
    {
        Registry.Behave = request => request.Authorization is null ? null : Dislike(status, challenge);

        (await Ask(new Credential.RegistryToken("planted"))).ShouldBeOfType<ProbeResult.Found>();
    }

    [Theory, MemberData(nameof(Dislikes))]
    public async Task An_old_token_is_replaced_whatever_the_registry_calls_it(int status, string? challenge)
    {
        await Ask(Secret);
        Tokens.Revoke();
        Time.Advance(TimeSpan.FromSeconds(30));
        Registry.Behave = request => Tokens.Guard(request) is { } refusal
            ? request.Authorization is null ? refusal : Dislike(status, challenge)
            : null;

        (await Ask(Secret)).ShouldBeOfType<ProbeResult.Found>();
        Tokens.Requests.Count.ShouldBe(2);
    }

    [Theory, MemberData(nameof(Dislikes))]
    public async Task Also_where_nobody_else_is_told_that_tokens_are_wanted(int status, string? challenge)
    {
        await Ask(Secret);
        Tokens.Revoke();
        Time.Advance(TimeSpan.FromSeconds(30));
        Registry.Behave = request => Tokens.Guard(request) is null ? null : Dislike(status, challenge);

        (await Ask(Secret)).ShouldBeOfType<ProbeResult.Found>();
        Tokens.Requests.Count.ShouldBe(2);
    }

    [Theory, MemberData(nameof(Dislikes))]
    public async Task An_old_token_of_a_repository_that_has_become_open_is_left_out(int status, string? challenge)
    {
        await Ask(Secret);
        Time.Advance(TimeSpan.FromSeconds(30));
        Registry.Behave = request => request.Authorization is null ? null : Dislike(status, challenge);

        (await Ask(Secret)).ShouldBeOfType<ProbeResult.Found>();
    }

    [Theory]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(429)]
    [InlineData(500)]
    public async Task A_repository_that_was_open_and_hides_itself_now_is_asked_with_the_password_again(int status)
    {
        Registry.Behave = request => request.Authorization is null ? null : new FakeAnswer(500);
        await Ask(Secret);
        Registry.Behave = request => request.Authorization is null ? new FakeAnswer(status) : null;

        (await Ask(Secret)).ShouldBeOfType<ProbeResult.Found>();
    }

    [Theory]
    [InlineData(404, 401, "missing", 2)] // it wants the password, so the 404 is about the image
    [InlineData(404, 404, "missing", 2)]
    [InlineData(404, 500, "missing", 2)]
    [InlineData(500, 404, "missing", 2)] // breaks on the password alone
    [InlineData(500, 500, "unreachable (HTTP 500)", 2)]
    [InlineData(401, 404, "denied (HTTP 401 for user admin)", 2)] // a wrong password is to be seen
    [InlineData(401, 401, "denied (HTTP 401 for user admin)", 2)]
    public async Task Nothing_that_is_worse_without_the_password_counts(int with, int without, string meaning, int requests)
    {
        Registry.Behave = request => request.Authorization is null
            ? new FakeAnswer(without) { Challenges = without == 401 && with != 401 ? s_basic : [] }
            : new FakeAnswer(with);

        (await Ask(Secret)).ToString().ShouldBe(meaning);
        Registry.Requests.Count(request => request.Method == "HEAD").ShouldBe(requests);
    }

    [Fact]
    public async Task A_password_that_is_known_to_be_wanted_is_not_doubted()
    {
        Registry.Account = ("admin", "planted-secret");
        Registry.Behave = _ => null;
        await Ask(Secret);

        (await Ask(Secret, "library/nginx:none")).ShouldBeOfType<ProbeResult.Missing>();
        (await Ask(Secret, "library/none:1")).ShouldBeOfType<ProbeResult.Missing>(); // beside one that is

        Registry.Requests.Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_registry_that_does_not_answer_the_second_question_has_answered_the_first()
    {
        Registry.Behave = request => request.Authorization is null ? FakeAnswer.RawText("") : new FakeAnswer(404);

        (await Ask(Secret)).ShouldBeOfType<ProbeResult.Missing>();
    }

    [Fact]
    public async Task A_young_token_is_believed()
    {
        await Ask(Secret);
        var before = Asked;

        (await Ask(Secret, "library/nginx:none")).ShouldBeOfType<ProbeResult.Missing>();

        Asked.ShouldBe((before.Registry + 1, before.Tokens));
    }

    private static FakeAnswer Dislike(int status, string? challenge) => new(status) { Challenges = challenge is null ? [] : [challenge] };
}
