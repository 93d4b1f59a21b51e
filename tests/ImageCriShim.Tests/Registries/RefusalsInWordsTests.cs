using System.Text;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Registries;

/// <summary>What a registry says about its refusal is told, as far as it is fit to be.</summary>
public sealed class RefusalsInWordsTests : IAsyncLifetime
{
    private readonly FakeRegistry registry = FakeRegistry.Start();
    private readonly ProbeCase probe = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync()
    {
        probe.Dispose();
        return registry.DisposeAsync();
    }

    [Theory]
    [InlineData(403, "denied (HTTP 403 for no user, DENIED: no access to it)")]
    [InlineData(401, "denied (HTTP 401 for no user, DENIED: no access to it)")]
    [InlineData(400, "denied (HTTP 400, DENIED: no access to it)")] // about this image: the registry is well
    [InlineData(405, "denied (HTTP 405, DENIED: no access to it)")]
    [InlineData(412, "denied (HTTP 412, DENIED: no access to it)")]
    [InlineData(451, "denied (HTTP 451, DENIED: no access to it)")]
    [InlineData(501, "unreachable (HTTP 501, DENIED: no access to it)")]
    [InlineData(404, "missing")]
    public async Task The_code_and_the_message_of_a_get_that_is_refused_are_told(int status, string meaning)
    {
        Refuse(status, """{"errors":[{"code":"DENIED","message":"no access\n to it","detail":{"secret":"x"}},{"code":"OTHER"}]}""");

        (await probe.Ask(registry)).ToString().ShouldBe(meaning);
    }

    [Fact]
    public async Task What_is_wrong_with_a_credential_is_told_although_HEAD_has_no_body()
    {
        registry.Behave = request => new FakeAnswer(401)
        {
            Challenges = ["Basic realm=\"x\""],
            Body = request.Method == "HEAD" ? [] : """{"errors":[{"code":"UNAUTHORIZED","message":"robot account expired on 2026-01-01"}]}"""u8.ToArray(),
        };

        (await probe.Ask(registry, credential: new Credential.Password("robot", "planted"))).ToString()
            .ShouldBe("denied (HTTP 401 for user robot, UNAUTHORIZED: robot account expired on 2026-01-01)");

        registry.Requests.Select(request => request.Method).ShouldBe(["HEAD", "GET"]);
    }

    [Theory]
    [InlineData("""{"message":"quota exceeded"}""", "quota exceeded")] // GitLab, gateways
    [InlineData("""{"error":"invalid_scope","error_description":"not for you"}""", "invalid_scope: not for you")] // OAuth
    [InlineData("""{"details":"incorrect username or password"}""", "incorrect username or password")] // Docker Hub
    [InlineData("Client sent an HTTP request to an HTTPS server.\n", "Client sent an HTTP request to an HTTPS server.")] // Go
    [InlineData("""{"errors":[{"status":423,"message":"being moved"}]}""", "being moved")] // Artifactory
    public async Task So_are_those_of_registries_that_write_them_elsewhere(string body, string words)
    {
        Refuse(423, body);

        (await probe.Ask(registry)).ToString().ShouldBe($"denied (HTTP 423, {words})");
    }

    [Theory]
    [InlineData("<html>")]
    [InlineData("two\nlines")]
    [InlineData("half of {")]
    [InlineData("no\0text")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"errors":{}}""")]
    [InlineData("""{"errors":[]}""")]
    [InlineData("""{"errors":["DENIED"]}""")]
    [InlineData("""{"errors":[{"code":7}]}""")]
    [InlineData("""{"errors":[{"code":"UNAUTHORIZED","message":"authentication required","detail":null}]}""")] // distribution's own for every 401
    [InlineData("""{"errors":[{"code":"\ud800"}]}""")] // no Unicode
    public async Task Other_bodies_are_no_words(string body)
    {
        Refuse(403, body);

        (await probe.Ask(registry)).ToString().ShouldBe("denied (HTTP 403 for no user)");
    }

    [Fact]
    public async Task A_registry_that_repeats_the_password_is_not_repeated()
    {
        var basic = Convert.ToBase64String(Encoding.UTF8.GetBytes("admin:hunter2"));
        Refuse(403, $$"""{"errors":[{"code":"DENIED","message":"hunter2 is wrong, as is Basic {{basic}}"}]}""");

        var result = await probe.Ask(registry, credential: new Credential.Password("admin", "hunter2"));

        result.ToString().ShouldBe("denied (HTTP 403 for user admin, DENIED: *** is wrong, as is Basic ***)");
    }

    [Theory]
    [InlineData("plain words, 3 of them", "plain words, 3 of them")]
    [InlineData("tab\tand\r\nline\0and\u202Ebidi", "tab and line and bidi")]
    [InlineData("没有权限", "没有权限")]
    [InlineData("see https://user:pw@auth.corp/a/b?sig=1&x=2#f now", "see https://auth.corp/a/b now")]
    [InlineData("token eyJhbGciOiJSUzI1NiJ9.e30.x expired", "token *** expired")]
    [InlineData("Bearer abcdefgh is bad", "Bearer *** is bad")]
    [InlineData("access_token=abc and tag=1.25", "access_token=*** and tag=1.25")]
    [InlineData("key 5Ff0AbCdEfGh1234567890xyz", "key ***")]
    [InlineData("0123456789abcdef0123456789abcdef", "***")]
    [InlineData(
        "unknown sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "unknown sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    [InlineData("repository library/some-long-name-with-2-digits", "repository library/some-long-name-with-2-digits")]
    public void Foreign_text_is_one_printable_line_without_what_looks_like_a_secret(string text, string clean) =>
        ForeignText.Clean(text, SentSecrets.None, EchoedNames.None).ShouldBe(clean);

    [Fact]
    public void Foreign_text_is_short() => ForeignText.Clean(string.Join(' ', Enumerable.Repeat("word", 100)), SentSecrets.None, EchoedNames.None).Length.ShouldBe(203);

    /// <summary>Only an answer to GET has a body.</summary>
    private void Refuse(int status, string body) =>
        registry.Behave = r => new FakeAnswer(r.Method == "HEAD" ? 405 : status) { Body = Encoding.UTF8.GetBytes(body) };
}
