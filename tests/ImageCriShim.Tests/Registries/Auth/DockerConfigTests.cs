using System.Text;
using ImageCriShim.Registries.Auth;

namespace ImageCriShim.Tests.Registries.Auth;

public sealed class DockerConfigTests : IDisposable
{
    private readonly AuthCase test = new();

    public void Dispose() => test.Dispose();

    [Theory]
    [InlineData("quay.io/team/app", "quay:1")]
    [InlineData("Quay.IO/team/app", "quay:1")]
    [InlineData("nginx", "hub:2")]
    [InlineData("docker.io/team/app", "hub:2")]
    [InlineData("harbor.corp/team-a/app", "a:3")]
    [InlineData("harbor.corp/team-a/sub/app", "sub:4")]
    [InlineData("harbor.corp/team-ab/app", "everybody:5")]
    [InlineData("harbor.corp/other/app", "everybody:5")]
    [InlineData("eu.mirror.corp:8443/app", "mirror:6")]
    [InlineData("eu.mirror.corp/app", "none")]
    [InlineData("named.mirror.corp:8443/app", "named:7:with:colons")]
    [InlineData("identity.corp/app", "identity 8")]
    [InlineData("bearer.corp/app", "registry 9")]
    [InlineData("helped.corp/app", "none")] // docker leaves {} where a helper has the secret
    [InlineData("helped.corp/team/app", "none")]
    [InlineData("nul.corp/app", "nul:10")]
    [InlineData("unknown.corp/app", "none")]
    public async Task The_entry_that_is_most_especially_for_an_image_has_its_credential(string image, string credential)
    {
        var source = Source($$"""
            {
              "auths": {
                "quay.io": { "auth": "{{Basic("quay:1")}}", "email": "a@b" },
                "https://index.docker.io/v1/": { "auth": "{{Basic("hub:2")}}" },
                "harbor.corp": { "username": "everybody", "password": "5" },
                "harbor.corp/team-a": { "auth": "{{Basic("a:3")}}" },
                "https://harbor.corp/team-a/sub/": { "auth": "{{Basic("sub:4")}}" },
                "*.mirror.corp:8443": { "auth": "{{Basic("mirror:6")}}" },
                "https://named.mirror.corp:8443": { "auth": "{{Basic("named:7:with:colons")}}" },
                "identity.corp": { "auth": "{{Basic("00000000-0000-0000-0000-000000000000:")}}", "identitytoken": "8" },
                "bearer.corp": { "registrytoken": "9" },
                "helped.corp": {},
                "nul.corp": { "auth": "{{Basic("nul:10\0\0")}}" },
                "": { "auth": "{{Basic("nobody:11")}}" }
              },
              "HttpHeaders": { "User-Agent": "Docker-Client" },
              "detachKeys": "ctrl-e,e"
            }
            """);

        (await AuthCase.Find(source, image)).ShouldBe(credential);
    }

    [Theory]
    [InlineData("""{ "Auths": { "quay.io": { "AUTH": "BASIC" } } }""")]
    [InlineData("""{ "auths": null, "AUTHS": { "quay.io": { "auth": "eDp5", "Auth": "BASIC" } } }""")]
    [InlineData("""{ "auths": { "quay.io": { "Username": "me", "passWord": "pw" } } }""")]
    [InlineData("""{ "quay.io": { "auth": "BASIC", "email": "a@b" }, "https://index.docker.io/v1/": { "auth": "eDp5" } }""")] // .dockercfg
    [InlineData("""{ "https://quay.io": { "Auth": "BASIC" }, "email": "a@b" }""")]
    public async Task Keys_are_found_as_Go_finds_them_and_an_old_file_is_read(string content) =>
        (await AuthCase.Find(Source(content.Replace("BASIC", Basic("me:pw"))), "quay.io/a")).ShouldBe("me:pw");

    [Theory]
    [InlineData("""{ "HttpHeaders": { "auth": 1 }, "detachKeys": "ctrl-e,e" }""")]
    [InlineData("""{ "quay.io": "me:pw" }""")]
    [InlineData("""{ "credsStore": "", "quay.io": { "auth": "bWU6cHc=" } }""")]
    public async Task A_new_file_without_an_entry_gives_none(string content) =>
        (await AuthCase.Ask(Source(content), "quay.io/a")).ShouldBe(new CredentialAnswer(null, $"{Source(content)}"));

    [Fact]
    public async Task It_is_read_again_when_it_changes()
    {
        var source = Source("{}");
        (await AuthCase.Ask(source, "quay.io/a")).ShouldBe(new CredentialAnswer(null, $"{source}"));

        Source($$"""{ "auths": { "quay.io": { "auth": "{{Basic("me:pw")}}" } } }""");
        (await AuthCase.Ask(source, "quay.io/a")).ShouldBe(new CredentialAnswer(new Credential.Password("me", "pw"), $"{source}"));
    }

    [Theory]
    [InlineData("{\n\"auths\": {\n", "is not JSON (line 3)")]
    [InlineData("", "is not JSON (line 1)")]
    [InlineData("[]", "is not docker's config.json: it holds no object")]
    public async Task A_file_that_is_not_understood_is_a_problem(string content, string problem)
    {
        var source = Source(content);

        (await AuthCase.Ask(source, "quay.io/a")).Problem.ShouldBe($"{source} {problem}");
        DockerConfigSource.FindWarning(test.Files.File("config.json")).ShouldNotBeNull();
    }

    [Theory]
    [InlineData("planted")] // no base64
    [InlineData("cGxhbnRlZA==")] // no colon
    [InlineData("OnBsYW50ZWQ=")] // no user
    public async Task An_entry_that_is_not_understood_is_a_problem_that_does_not_quote_it(string auth)
    {
        var source = Source($$"""{ "auths": { "quay.io": { "auth": "{{auth}}" } } }""");

        (await AuthCase.Ask(source, "quay.io/a")).ShouldBe(
            new CredentialAnswer(null, $"{source}", $"{source}: the auth of quay.io is not the base64 of user:password"));
        (await AuthCase.Ask(source, "ghcr.io/a")).Problem.ShouldBeNull();
    }

    [Theory]
    [InlineData("""{ "auths": [], "credHelpers": "x", "credsStore": {} }""")]
    [InlineData("""{ "auths": { "quay.io": "me:pw" } }""")]
    [InlineData("""{ "auths": { "quay.io": { "auth": 1, "username": [] } }, "credHelpers": { "quay.io": null } }""")]
    [InlineData("""{ "auths": { "\ud800": {}, "quay.io": { "auth": "\ud800" } }, "credHelpers": { "\ud800": "x" }, "credsStore": "\ud800" }""")] // no Unicode
    public async Task Members_of_another_form_are_as_good_as_absent(string content) =>
        (await AuthCase.Ask(Source(content), "quay.io/a")).ShouldBe(new CredentialAnswer(null, $"dockerConfig {test.Files.File("config.json")}"));

    [Fact]
    public async Task A_file_that_is_not_there_is_a_problem()
    {
        var source = new DockerConfigSource("/nonexistent/config.json", test.Time);

        (await AuthCase.Ask(source, "quay.io/a")).Problem.ShouldBe("dockerConfig /nonexistent/config.json is not there");
    }

    private static string Basic(string account) => Convert.ToBase64String(Encoding.UTF8.GetBytes(account));

    private DockerConfigSource Source(string json) => new(test.Write("config.json", json), test.Time);
}
