using System.Text;
using ImageCriShim.Images;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Registries.Auth;

public sealed class FailingTokenServersTests : TokenCase
{
    private const string TooFewErrors = """{"errors":[]}""";

    [Theory]
    [InlineData(401, """{"errors":[{"code":"UNAUTHORIZED","message":"<script>"}]}""", "denied (its token server {host} says HTTP 401 (UNAUTHORIZED: <script>) for user admin)")]
    [InlineData(401, """{"errors":[{"code":"UNAUTHORIZED","message":"robot account expired on 2026-01-01"}]}""", "denied (its token server {host} says HTTP 401 (UNAUTHORIZED: robot account expired on 2026-01-01) for user admin)")]
    [InlineData(403, """{"errors":[{"code":"DENIED"}]}""", "denied (its token server {host} says HTTP 403 (DENIED) for user admin)")]
    [InlineData(403, """{"Errors":[{"Code":"DENIED"}]}""", "denied (its token server {host} says HTTP 403 (DENIED) for user admin)")]
    [InlineData(400, """{"error":"invalid_grant","error_description":"planted"}""", "denied (its token server {host} says HTTP 400 (invalid_grant: planted) for user admin)")]
    [InlineData(401, """{"details":"incorrect username or password"}""", "denied (its token server {host} says HTTP 401 (incorrect username or password) for user admin)")]
    [InlineData(401, """{"errors":[{"code":"<b>no</b>"}]}""", "denied (its token server {host} says HTTP 401 (<b>no</b>) for user admin)")]
    [InlineData(401, """{"errors":[7]}""", "denied (its token server {host} says HTTP 401 for user admin)")]
    [InlineData(401, TooFewErrors, "denied (its token server {host} says HTTP 401 for user admin)")]
    [InlineData(401, "", "denied (its token server {host} says HTTP 401 for user admin)")]
    [InlineData(404, "", "unreachable (its token server {host} says HTTP 404)")]
    [InlineData(405, "", "unreachable (its token server {host} says HTTP 405)")]
    [InlineData(500, "", "unreachable (its token server {host} says HTTP 500)")]
    [InlineData(503, "", "unreachable (its token server {host} says HTTP 503)")]
    [InlineData(204, "", "unreachable (its token server {host} says HTTP 204)")]
    public async Task Each_status_means_what_it_would_of_the_registry(int status, string body, string meaning)
    {
        Tokens.Behave = _ => FakeAnswer.Json(status, body);

        (await Ask(Secret)).ToString().ShouldBe(meaning.Replace("{host}", Tokens.Host));
        Registry.Requests.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("7", 7)]
    [InlineData("Thu, 01 Jan 2026 00:01:00 GMT", 60)]
    public async Task A_throttling_token_server_throttles_the_registry(string retryAfter, int seconds)
    {
        Tokens.Behave = _ => new FakeAnswer(429) { Headers = { ["Retry-After"] = retryAfter } };

        (await Ask()).ShouldBeOfType<ProbeResult.Throttled>().RetryAfter.ShouldBe(TimeSpan.FromSeconds(seconds));
    }

    [Theory]
    [InlineData("<html>Please log in</html>")]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"token\":\"\\ud800\"}")] // sound JSON, but no Unicode
    [InlineData("{\"\\ud800\":1}")]
    [InlineData("""{"token":""}""")]
    [InlineData("""{"token":7}""")]
    [InlineData("""{"token":"a\r\nX-Injected: b"}""")]
    [InlineData("""{"token":"grüezi"}""")]
    [InlineData("""{"token":"a b"}""")]
    [InlineData("""{"token":"a""")]
    public async Task What_is_no_token_is_not_sent(string body)
    {
        Tokens.Behave = _ => FakeAnswer.Json(200, body);

        (await Ask()).ToString().ShouldBe($"unreachable (its token server {Tokens.Host}: there is no token in its answer)");
        Registry.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_giant_answer_is_not_read()
    {
        Tokens.Behave = _ => new FakeAnswer(200) { Body = Encoding.ASCII.GetBytes("{\"token\":\"a"), Length = 1L << 30, IsFilled = true };

        (await Ask()).ToString().ShouldBe($"unreachable (its token server {Tokens.Host}: there is no token in its answer)");
        Tokens.BodyBytesSent.ShouldBeLessThan(1L << 26);
    }

    [Fact]
    public async Task Nor_is_one_that_does_not_say_how_large_it_is()
    {
        Tokens.Behave = _ => FakeAnswer.RawText("HTTP/1.1 200 OK\r\n\r\n{\"token\":\"a\",\"more\":\"" + new string('x', 64 * 1024) + "\"}");

        (await Ask()).ToString().ShouldBe($"unreachable (its token server {Tokens.Host}: there is no token in its answer)");
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Ty", "in the middle of its answer")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"token\":\"planted", "in the middle of its answer")]
    [InlineData("", "without an answer")]
    public async Task Half_an_answer_is_none(string raw, string when)
    {
        Tokens.Behave = _ => FakeAnswer.RawText(raw);

        (await Ask()).ToString().ShouldBe($"unreachable (its token server {Tokens.Host}: it closed the connection {when})");
    }

    [Theory]
    [InlineData("headers")]
    [InlineData("body")]
    public async Task A_token_server_that_hangs_is_named_after_the_probe_timeout(string where)
    {
        Tokens.Behave = _ => where == "headers" ? FakeAnswer.Hang : new FakeAnswer(200) { Body = [(byte)'{'], Length = 100, Then = FakeAnswer.Never };
        var asked = Ask(Secret);
        await Tokens.NextRequest();

        Time.Advance(ProbeCase.Patience - TimeSpan.FromMilliseconds(1));
        asked.IsCompleted.ShouldBeFalse();
        Time.Advance(TimeSpan.FromMilliseconds(1));

        (await asked).ToString().ShouldBe($"unreachable (its token server {Tokens.Host}: no answer within 5 s)");
    }

    [Fact]
    public async Task Nobody_has_to_wait_longer_because_others_wait_for_the_same_token()
    {
        await Ask();
        Tokens.Revoke();
        Tokens.Behave = _ => FakeAnswer.Hang;
        await Tokens.NextRequest();
        var first = Ask();
        await Tokens.NextRequest();
        Time.Advance(TimeSpan.FromSeconds(3));
        var second = Ask();
        await Registry.NextRequest();

        Time.Advance(TimeSpan.FromSeconds(2));
        (await first).ShouldBeOfType<ProbeResult.Unreachable>();
        second.IsCompleted.ShouldBeFalse();
        Time.Advance(TimeSpan.FromSeconds(3));
        (await second).ShouldBeOfType<ProbeResult.Unreachable>();
    }

    [Fact]
    public async Task A_token_server_that_comes_back_is_used_at_once()
    {
        Tokens.Behave = _ => new FakeAnswer(503);
        await Ask();
        Tokens.Behave = _ => null;

        (await Ask()).ShouldBeOfType<ProbeResult.Found>();

        Tokens.Behave = _ => new FakeAnswer(503);
        (await Ask(image: "team/app:1")).ShouldBeOfType<ProbeResult.Unreachable>();
        Tokens.Behave = _ => null;
        (await Ask(image: "team/app:1")).ShouldBeOfType<ProbeResult.Found>();
    }

    [Fact]
    public async Task A_closed_port_and_an_unknown_name_are_said_to_be_the_token_servers()
    {
        using var closed = new ClosedPort();
        Registry.Behave = _ => new FakeAnswer(401) { Challenges = [$"Bearer realm=\"http://127.0.0.1:{closed.Number}/token?planted=query\""] };
        (await Ask(Secret)).ToString().ShouldBe($"unreachable (its token server 127.0.0.1:{closed.Number}: connection refused)");

        Registry.Behave = _ => new FakeAnswer(401) { Challenges = ["Bearer realm=\"http://no-such-token-server.invalid/\""] };
        (await Ask(Secret)).ToString().ShouldStartWith("unreachable (its token server no-such-token-server.invalid: ");
    }

    [Fact]
    public async Task Going_away_while_a_token_is_made_is_the_callers_cancellation()
    {
        Tokens.Behave = _ => FakeAnswer.Hang;
        using var leaving = new CancellationTokenSource();
        var asked = Probe.Ask(Registry.Address, credential: Secret, cancellation: leaving.Token);
        await Tokens.NextRequest();

        leaving.Cancel();

        await Should.ThrowAsync<OperationCanceledException>(() => asked);
    }

    [Fact]
    public async Task Why_there_is_no_credential_is_said_where_one_is_wanted()
    {
        var absent = new FakeSource(new CredentialAnswer(null, "passwordFile /x", "passwordFile /x is not there"));
        Tokens.Account = ("admin", "planted-secret");

        (await Probe.Ask(Registry.Address, source: absent)).ToString().ShouldBe(
            $"denied (its token server {Tokens.Host} says HTTP 401 (UNAUTHORIZED: who are you?) without a credential: passwordFile /x is not there)");

        Registry.Account = ("admin", "planted-secret");
        Registry.Behave = _ => null;
        var result = await Probe.Ask(Registry.Address, source: absent);
        result.ToString().ShouldBe("denied (HTTP 401 without a credential: passwordFile /x is not there)");
        result.CredentialFrom.ShouldBeNull();
    }

    [Fact]
    public async Task A_source_of_credentials_that_hangs_is_said_to()
    {
        var source = new FakeSource(null);
        var asked = Probe.Ask(Registry.Address, source: source);
        await source.Asked.Task;

        Time.Advance(ProbeCase.Patience);

        (await asked).ToString().ShouldBe("unreachable (no credential from where it is configured within 5 s)");
        Registry.Requests.ShouldBeEmpty();
    }

    private sealed class FakeSource(CredentialAnswer? answer) : CredentialSource
    {
        public TaskCompletionSource Asked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override async ValueTask<CredentialAnswer> Find(Reference image, CancellationToken cancellation)
        {
            var end = new TaskCompletionSource<CredentialAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
            await using var registration = cancellation.Register(() => end.TrySetCanceled(cancellation));
            Asked.TrySetResult();
            return answer ?? await end.Task;
        }

        public override string ToString() => "fake";
    }
}
