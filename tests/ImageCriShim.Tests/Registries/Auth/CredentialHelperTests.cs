using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Registries.Auth;

/// <summary>Real helpers: shell scripts in a directory of PATH, each test's with a name of its own.</summary>
public sealed class CredentialHelperTests(CredentialHelperTests.HelpersOnPath path) : IClassFixture<CredentialHelperTests.HelpersOnPath>, IDisposable
{
    private readonly AuthCase test = new();

    public void Dispose() => test.Dispose();

    [Theory]
    [InlineData("123.dkr.ecr.eu-west-1.amazonaws.com/app:1", "123.dkr.ecr.eu-west-1.amazonaws.com")]
    [InlineData("Registry.Corp:5000/app", "registry.corp:5000")]
    [InlineData("nginx", "https://index.docker.io/v1/")]
    public async Task It_is_asked_as_docker_asks_it(string image, string server)
    {
        var helper = Helper($"printf '%s ' \"$@\" > {test.Files.File("asked")}; cat >> {test.Files.File("asked")}; {Answer("AWS", "planted")}");
        var source = Source($$"""{ "credsStore": "{{helper}}" }""");

        var answer = await AuthCase.Ask(source, image);

        answer.ShouldBe(new CredentialAnswer(new Credential.Password("AWS", "planted"), $"{source} (helper {helper})"));
        test.Read("asked").ShouldBe($"get {server}");
    }

    [Fact]
    public async Task A_token_is_an_identity_token() =>
        (await AuthCase.Find(Source($$"""{ "credsStore": "{{Helper(Answer("<token>", "planted"))}}" }"""), "quay.io/a")).ShouldBe("identity planted");

    [Fact]
    public async Task The_hosts_own_helper_goes_before_the_one_for_all_and_both_before_the_file()
    {
        var source = Source($$"""
            {
              "auths": { "quay.io": { "auth": "bWU6cHc=" }, "own.corp": { "auth": "bWU6cHc=" }, "file.corp": { "auth": "bWU6cHc=" } },
              "credHelpers": { "own.corp": "{{Helper(Answer("own", "1"))}}", "https://index.docker.io/v1/": "{{Helper(Answer("hub", "2"))}}", "file.corp": "" },
              "credsStore": "{{Helper(Answer("all", "3"))}}"
            }
            """);

        (await AuthCase.Find(source, "own.corp/a")).ShouldBe("own:1");
        (await AuthCase.Find(source, "nginx")).ShouldBe("hub:2");
        (await AuthCase.Find(source, "quay.io/a")).ShouldBe("all:3");
        (await AuthCase.Find(source, "file.corp/a")).ShouldBe("me:pw"); // an empty name is docker's way to say: no helper
    }

    [Fact]
    public async Task To_have_none_is_no_problem()
    {
        var helper = Helper("echo credentials not found in native keychain; exit 1");
        var source = Source($$"""{ "credsStore": "{{helper}}" }""");

        (await AuthCase.Ask(source, "quay.io/a")).ShouldBe(new CredentialAnswer(null, $"{source} (helper {helper})"));
    }

    [Theory]
    [InlineData("echo planted; echo planted >&2; exit 3", "failed with exit code 3; run it by hand to see why")]
    [InlineData("echo planted", "gave an answer that holds no secret; run it by hand to see it")]
    [InlineData("echo '{\"Username\":\"planted\"}'", "gave an answer that holds no secret; run it by hand to see it")]
    [InlineData("echo '[\"planted\"]'", "gave an answer that holds no secret; run it by hand to see it")]
    [InlineData("head -c 300000 /dev/zero", "answered with more than 256 KiB")]
    [InlineData("cat /dev/zero", "answered with more than 256 KiB")]
    [InlineData("kill -9 $$", "failed with exit code 137; run it by hand to see why")]
    public async Task A_helper_that_fails_is_a_problem_that_quotes_nothing_of_it(string body, string problem)
    {
        var helper = Helper(body);
        var source = Source($$"""{ "credsStore": "{{helper}}" }""");

        (await AuthCase.Ask(source, "quay.io/a")).ShouldBe(
            new CredentialAnswer(null, $"{source} (helper {helper})", $"{source}: docker-credential-{helper} {problem}"));
    }

    [Fact]
    public async Task A_helper_that_writes_much_to_its_standard_error_is_not_held_up() =>
        (await AuthCase.Find(Source($$"""{ "credsStore": "{{Helper($"head -c 1000000 /dev/zero >&2; {Answer("a", "b")}")}}" }"""), "quay.io/a")).ShouldBe("a:b");

    [Theory]
    [InlineData("absent-helper", "docker-credential-absent-helper is not in PATH")]
    [InlineData("../../bin/sh", "../../bin/sh is not the name of a helper")]
    public async Task A_helper_that_is_not_there_is_a_problem(string helper, string problem)
    {
        var source = Source($$"""{ "credHelpers": { "quay.io": "{{helper}}" } }""");

        (await AuthCase.Ask(source, "quay.io/a")).Problem.ShouldBe($"{source}: {problem}");
        (await AuthCase.Ask(source, "ghcr.io/a")).Problem.ShouldBeNull();
    }

    [Fact]
    public async Task A_helper_that_cannot_be_started_is_a_problem()
    {
        var helper = path.NewName();
        File.WriteAllText(path.FileOf(helper), "#!/nonexistent/interpreter\n");
        File.SetUnixFileMode(path.FileOf(helper), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var source = Source($$"""{ "credsStore": "{{helper}}" }""");

        (await AuthCase.Ask(source, "quay.io/a")).Problem.ShouldNotBeNull().ShouldStartWith($"{source}: docker-credential-{helper} cannot be started");
    }

    [Fact]
    public async Task While_as_many_run_as_may_the_next_waits_and_is_told_if_that_was_in_vain()
    {
        var waiting = new FakeTime();
        var places = new Places(1, 10, waiting);
        var hung = HelperProgram.Run(new("/bin/sh", ["-c", "sleep 1000"]), [], test.Time, places);
        var next = HelperProgram.Run(new("/bin/sh", ["-c", "cat"]), [1, 2], test.Time, places);

        waiting.Advance(HelperProgram.Patience);
        (await next).Problem.ShouldBe("was not started: 16 such programs run already, which is the limit, and none has ended in time");

        var third = HelperProgram.Run(new("/bin/sh", ["-c", "cat"]), [1, 2], test.Time, places);
        test.Time.Advance(HelperProgram.Patience); // ends the first
        (await hung).Problem.ShouldBe("gave no answer within 60 s");
        (await third).Output.ShouldBe([1, 2]);
    }

    [Fact]
    public async Task A_helper_that_hangs_is_ended_with_all_that_it_started()
    {
        var helper = Helper($"sleep 1000 & echo $! >> {test.Files.File("child")}; wait");
        var source = Source($$"""{ "credsStore": "{{helper}}" }""");

        var asked = AuthCase.Ask(source, "quay.io/a");
        var child = (await test.WaitFor("child")).Trim();
        test.Time.Advance(HelperProgram.Patience);

        (await asked.WaitAsync(AuthCase.Patience, TestContext.Current.CancellationToken)).Problem.ShouldBe($"{source}: docker-credential-{helper} gave no answer within 60 s");
        await Wait.Until(() => !IsRunning(child));
    }

    [Fact]
    public async Task What_it_gave_is_remembered_for_five_minutes()
    {
        var helper = Counting(Answer("a", "b"));
        var source = Source($$"""{ "credsStore": "{{helper}}" }""");

        await AuthCase.Ask(source, "quay.io/a");
        test.Time.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromTicks(1));
        (await AuthCase.Find(source, "quay.io/other")).ShouldBe("a:b");
        test.Count("runs").ShouldBe(1);

        await AuthCase.Ask(source, "ghcr.io/a"); // another server
        test.Count("runs").ShouldBe(2);

        test.Time.Advance(TimeSpan.FromTicks(1));
        await AuthCase.Ask(source, "quay.io/a");
        test.Count("runs").ShouldBe(3);
    }

    [Theory]
    [InlineData("exit 1")]
    [InlineData("echo credentials not found in native keychain; exit 1")]
    public async Task That_it_gave_nothing_is_remembered_for_ten_seconds(string body)
    {
        var source = Source($$"""{ "credsStore": "{{Counting(body)}}" }""");

        await AuthCase.Ask(source, "quay.io/a");
        test.Time.Advance(TimeSpan.FromSeconds(10) - TimeSpan.FromTicks(1));
        await AuthCase.Ask(source, "quay.io/a");
        test.Count("runs").ShouldBe(1);

        test.Time.Advance(TimeSpan.FromTicks(1));
        await AuthCase.Ask(source, "quay.io/a");
        test.Count("runs").ShouldBe(2);
    }

    [Fact]
    public async Task It_runs_once_for_all_who_ask_at_the_same_time()
    {
        var source = Source($$"""{ "credsStore": "{{Counting(test.WaitForGo + Answer("a", "b"))}}" }""");

        var asked = Enumerable.Range(0, 20).Select(_ => AuthCase.Find(source, "quay.io/a")).ToList();
        await test.WaitFor("runs");
        test.Write("go", "");

        (await Task.WhenAll(asked).WaitAsync(AuthCase.Patience, TestContext.Current.CancellationToken)).ShouldAllBe(credential => credential == "a:b");
        test.Count("runs").ShouldBe(1);
    }

    [Fact]
    public async Task It_runs_to_its_end_although_nobody_waits_any_more()
    {
        var source = Source($$"""{ "credsStore": "{{Counting(test.WaitForGo + Answer("a", "b"))}}" }""");
        using var impatience = new CancellationTokenSource();

        var asked = source.Find(AuthCase.Image("quay.io/a"), impatience.Token).AsTask();
        await test.WaitFor("runs");
        await impatience.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(asked);
        test.Write("go", "");

        (await AuthCase.Find(source, "quay.io/a").WaitAsync(AuthCase.Patience, TestContext.Current.CancellationToken)).ShouldBe("a:b");
        test.Count("runs").ShouldBe(1);
    }

    private static string Answer(string user, string secret) => $$"""echo '{"ServerURL":"https://quay.io","Username":"{{user}}","Secret":"{{secret}}"}'""";

    private static bool IsRunning(string process)
    {
        try
        {
            return !File.ReadAllText($"/proc/{process}/stat").Contains(") Z ");
        }
        catch (IOException)
        {
            return false;
        }
    }

    private string Counting(string body) => Helper(test.Counting(body));

    private string Helper(string body)
    {
        var name = path.NewName();
        Script.Write(path.FileOf(name), body);
        return name;
    }

    private DockerConfigSource Source(string json) => new(test.Write("config.json", json), test.Time);

    /// <summary>The only one that changes PATH of this process: it adds a directory at its end.</summary>
    public sealed class HelpersOnPath : IDisposable
    {
        private readonly string before = Environment.GetEnvironmentVariable("PATH")!;
        private readonly TempDirectory directory = new();
        private int helpers;

        public HelpersOnPath() => Environment.SetEnvironmentVariable("PATH", $"{before}:{directory.Path}");

        public string NewName() => $"test{Interlocked.Increment(ref helpers)}";

        public string FileOf(string helper) => directory.File($"docker-credential-{helper}");

        public void Dispose()
        {
            Environment.SetEnvironmentVariable("PATH", before);
            directory.Dispose();
        }
    }
}
