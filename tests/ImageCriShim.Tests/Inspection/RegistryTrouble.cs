using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Inspection;

public sealed class RegistryTrouble : NodeTest
{
    private const string Hub = $"address: http://{PreparedNode.HubName}\n";

    [Fact]
    public async Task A_wrong_password()
    {
        Node.Hub.Account = ("admin", PreparedNode.Password);
        Node.Configure($"{Hub}auth: admin:wrong\n");
        (await Node.Complaints()).ShouldBe("""
            problem  registry http://hub.corp:5000: does not take admin:*** (auth): HTTP 401 for user admin; user or password is wrong
                     - write the right one (image-cri-shim.yaml:5)

            1 to mend

            """);
        Node.Configure($"{Hub}auth: admin:{PreparedNode.Password}\n");
        (await Node.Complaints()).ShouldBe(NothingToMend);
    }

    [Fact]
    public async Task No_password_where_one_is_wanted()
    {
        Node.Hub.Account = ("admin", PreparedNode.Password);
        Node.Configure(Hub);
        (await Node.Complaints()).ShouldBe("""
            problem  registry http://hub.corp:5000: wants a credential, and none is configured
                     - add auth: USER:PASSWORD, or username and passwordFile, to the top of the config file (image-cri-shim.yaml:4)

            1 to mend

            """);
        Node.Configure($"{Hub}auth: admin:{PreparedNode.Password}\n");
        (await Node.Complaints()).ShouldBe(NothingToMend);
    }

    [Fact]
    public async Task A_password_that_is_right_and_not_enough()
    {
        Node.Hub.Behave = _ => new FakeAnswer(403);
        Node.Configure($"{Hub}auth: admin:{PreparedNode.Password}\n");
        (await Node.Complaints()).ShouldBe("""
            problem  registry http://hub.corp:5000: denies access: HTTP 403 for user admin; the credential is known there, but it may not read
                     - have whoever runs hub.corp:5000 allow it to pull

            1 to mend

            """);
    }

    [Fact]
    public async Task An_account_that_has_ended()
    {
        Node.Hub.Behave = _ => new FakeAnswer(401)
        {
            Challenges = ["Basic realm=\"hub\""],
            Body = """{"errors":[{"code":"UNAUTHORIZED","message":"robot account expired on 2026-01-01"}]}"""u8.ToArray(),
        };
        Node.Configure($"{Hub}auth: admin:{PreparedNode.Password}\n");
        (await Node.Complaints()).ShouldBe("""
            problem  registry http://hub.corp:5000: does not take admin:*** (auth): HTTP 401 for user admin, UNAUTHORIZED: robot account expired on 2026-01-01
                     - write the right one (image-cri-shim.yaml:5)

            1 to mend

            """);
    }

    [Theory]
    [InlineData(451)]
    [InlineData(423)]
    public async Task A_registry_that_refuses_everything_in_its_own_words(int status)
    {
        Node.Hub.Behave = _ => new FakeAnswer(status) { Body = """{"message":"read-only until Monday"}"""u8.ToArray() };
        Node.Configure(Hub);
        (await Node.Complaints()).ShouldBe($"""
            problem  registry http://hub.corp:5000: refuses to be asked: HTTP {status}, read-only until Monday
                     - ask whoever runs hub.corp:5000 why

            1 to mend

            """);
    }

    [Fact]
    public async Task A_registry_that_has_too_many_callers()
    {
        Node.Hub.Behave = _ => new FakeAnswer(429);
        Node.Configure(Hub);
        (await Node.Complaints()).ShouldBe("""
            warning  registry http://hub.corp:5000: answers, and wants to be left alone for now: HTTP 429
                     - wait; if it goes on, give it a credential, or a higher limit there

            nothing to mend, 1 warning

            """);
    }

    [Fact]
    public async Task A_password_that_its_token_server_does_not_take()
    {
        Node.Hub.Behave = request => request.Path.StartsWith("/token", StringComparison.Ordinal)
            ? new FakeAnswer(401)
            : new FakeAnswer(401) { Challenges = ["Bearer realm=\"/token\",service=\"hub\""] };
        Node.Configure($"{Hub}auth: admin:wrong\n");
        (await Node.Complaints()).ShouldBe("""
            problem  registry http://hub.corp:5000: does not take admin:*** (auth): its token server hub.corp:5000 says HTTP 401 for user admin; user or password is wrong
                     - write the right one (image-cri-shim.yaml:5)

            1 to mend

            """);
    }

    [Fact]
    public async Task A_password_file_that_is_not_there()
    {
        Node.Configure($"{Hub}username: admin\npasswordFile: {Node.Directory.File("password")}\n");
        (await Node.Complaints()).ShouldBe("""
            warning  settings: passwordFile (image-cri-shim.yaml:6): DIR/password is not there
            problem  registry http://hub.corp:5000: its credential cannot be had: passwordFile DIR/password is not there
                     - mend passwordFile DIR/password

            1 to mend, 1 warning

            """);
    }

    [Fact]
    public async Task Something_that_is_no_registry()
    {
        Node.Hub.Behave = _ => new FakeAnswer(200) { Headers = { ["Content-Type"] = "text/html" } };
        Node.Configure(Hub);
        (await Node.Complaints()).ShouldBe("""
            problem  registry http://hub.corp:5000: is no registry: http://hub.corp:5000/v2/ answers HTTP 200 with a web page
                     - mend the address (image-cri-shim.yaml:4)

            1 to mend

            """);
    }

    [Fact]
    public async Task Nobody_at_the_port()
    {
        using var port = new ClosedPort();
        Node.Configure($"address: http://127.0.0.1:{port.Number}\n");
        (await Node.Complaints()).Replace($"{port.Number}", "PORT").ShouldBe("""
            problem  registry http://127.0.0.1:PORT: cannot be reached: connection refused
                     - start the registry, or mend the port in its address (image-cri-shim.yaml:4)

            1 to mend

            """);
    }

    [Fact]
    public async Task Plain_http_where_the_settings_say_https()
    {
        Node.Configure($"address: https://{PreparedNode.HubName}/team\n");
        (await Node.Complaints()).ShouldBe("""
            problem  registry https://hub.corp:5000/team: speaks plain http, and the address says https
                     - write address: http://hub.corp:5000/team (image-cri-shim.yaml:4)

            1 to mend

            """);
        Node.Configure($"address: http://{PreparedNode.HubName}/team\n");
        (await Node.Complaints()).ShouldBe(NothingToMend);
    }

    [Fact]
    public async Task No_password_is_sent_to_find_out_what_is_spoken()
    {
        Node.Configure($"address: https://{PreparedNode.HubName}\nauth: admin:{PreparedNode.Password}\n");
        await Node.Look();
        Node.Hub.Requests.ShouldNotBeEmpty();
        Node.Hub.Requests.ShouldAllBe(request => request.Authorization == null);
    }
}
