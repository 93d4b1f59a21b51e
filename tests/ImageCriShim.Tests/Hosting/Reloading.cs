using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Node;
using ImageCriShim.Tests.Relay;

namespace ImageCriShim.Tests.Hosting;

/// <summary>Settings that change while the shim runs: all that the file says, or nothing of it.</summary>
[Trait("suite", "endtoend")]
public sealed class Reloading : SupervisedTest
{
    private const int SigHup = 1;
    private const string Stay = "so what was in force before stays in force";
    private const string Slowly = "reloadInterval: 1h\n"; // nobody looks but when asked
    private const string Often = "reloadInterval: 100ms\n";

    public static TheoryData<string> UnusableFiles => ["\0\u0001{{{ not: [yaml", "", "address: http://h\ntimeout: soon\n", "adress: http://h\n", "address: http://h/U"];

    [Fact]
    public async Task SIGHUP_puts_what_changed_in_force_and_says_each_key()
    {
        var runtime = StartRuntime();
        await using var registry = FakeRegistry.Start();
        registry.Add("library/nginx", "1.25");
        var shim = await StartOn($"{Slowly}timeout: 15m\nauth: admin:hunter2\n");
        await Pull();
        runtime.CallsOf("PullImage").ShouldNotContain(call => call.Image.StartsWith(registry.Host, StringComparison.Ordinal));

        await Reload(shim, $"{Slowly}timeout: 5m\nauth: admin:hunter3\nregistries: [{{address: \"{registry.Address}\", priority: 10}}]\n");
        await Wait.Until(() => shim.Output.Contains($"settings: registries: added {registry.Address} (priority 10)"), shim.Output);
        shim.ShouldSay("settings: timeout 15m -> 5m");
        shim.ShouldSay("settings: address: http://127.0.0.1:1: auth changed");
        shim.Output.ShouldNotContain("hunter");
        await Pull();
        runtime.CallsOf("PullImage").ShouldContain(call => call.Image == $"{registry.Host}/library/nginx:1.25");
    }

    [Fact]
    public async Task A_change_is_seen_without_being_told_of()
    {
        var shim = await StartOn(Often);
        Configure($"address: http://127.0.0.1:1\n{Often}timeout: 5m\n");
        await Wait.Until(() => shim.Output.Contains("settings: timeout 15m -> 5m"), shim.Output);
    }

    [Fact]
    public async Task A_ConfigMap_that_is_mounted_changes_by_its_symlinks()
    {
        StartRuntime();
        var (mount, one, other) = (Directory.File("mount"), Directory.File("..1"), Directory.File("..2"));
        foreach (var (directory, timeout) in ((string, string)[])[(one, "15m"), (other, "16m")])
        {
            System.IO.Directory.CreateDirectory(directory);
            await File.WriteAllTextAsync(Path.Combine(directory, "shim.yaml"), $"shim: {ShimSocketPath}\ncri: {RuntimeSocketPath}\nimage: {Directory.File("state")}\naddress: http://127.0.0.1:1\n{Often}timeout: {timeout}\n", TestContext.Current.CancellationToken);
        }

        File.CreateSymbolicLink(mount, one);
        File.CreateSymbolicLink(ConfigPath, Path.Combine(mount, "shim.yaml"));
        var shim = AtEnd(await Supervisor.StartAsync(["--notify", NotifyPath], ["-f", ConfigPath]));
        await Wait.Until(() => shim.Notified.Contains("READY=1"));
        File.CreateSymbolicLink(Directory.File("next"), other);
        await Programs.Run("mv", "-T", Directory.File("next"), mount); // in one step, as kubelet does it
        await Wait.Until(() => shim.Output.Contains("settings: timeout 15m -> 16m"), shim.Output);
    }

    [Theory]
    [MemberData(nameof(UnusableFiles))]
    public async Task A_file_that_cannot_be_used_changes_nothing_and_is_told_of_once(string file)
    {
        var runtime = StartRuntime();
        await using var registry = FakeRegistry.Start();
        registry.Add("library/nginx", "1.25");
        var shim = await StartOn(Often + "serveLocal: false\n", registry.Address);
        await File.WriteAllTextAsync(ConfigPath, file, TestContext.Current.CancellationToken);
        await Wait.Until(() => shim.Output.Contains(Stay), shim.Output);
        await Task.Delay(500, TestContext.Current.CancellationToken); // five looks
        shim.Output.Split(Stay).Length.ShouldBe(2, shim.Output);
        await Pull();
        runtime.CallsOf("PullImage").ShouldContain(call => call.Image == $"{registry.Host}/library/nginx:1.25");

        Configure($"address: {registry.Address}\n{Often}serveLocal: false\n");
        await Wait.Until(() => shim.Output.Contains("can be used again, and is in force"), shim.Output);
    }

    [Fact]
    public async Task A_file_that_is_gone_changes_nothing()
    {
        var shim = await StartOn(Often);
        File.Delete(ConfigPath);
        await Wait.Until(() => shim.Output.Contains("does not exist") && shim.Output.Contains(Stay), shim.Output);
        (await Call()).Status.ShouldBe(0);
    }

    [Fact]
    public async Task A_file_that_was_only_touched_changes_nothing_and_debug_says_so()
    {
        var shim = await StartOn(Often + "debug: true\n");
        File.SetLastWriteTimeUtc(ConfigPath, DateTime.UnixEpoch);
        await Wait.Until(() => shim.Output.Contains("says what is in force already"), shim.Output);
        shim.Output.ShouldNotContain(" -> ");
    }

    [Fact]
    public async Task What_a_process_cannot_change_as_it_runs_is_said_once_and_the_rest_applies()
    {
        var shim = await StartOn(Slowly);
        var changed = $"shim: {ShimSocketPath}\ncri: {RuntimeSocketPath}\nimage: {Directory.File("elsewhere")}\naddress: http://127.0.0.1:1\n{Slowly}debug: true\n";
        for (var i = 0; i < 2; i++)
        {
            await File.WriteAllTextAsync(ConfigPath, changed, TestContext.Current.CancellationToken);
            await shim.SignalAsync(SigHup);
            await Wait.Until(() => shim.Notified.Count(said => said == "READY=1") == i + 2);
        }

        await Wait.Until(() => shim.Output.Contains("says what is in force already"), shim.Output); // of the second, by way of debug
        shim.ShouldSay("settings: debug false -> true");
        shim.Output.Split($"-> {Directory.File("elsewhere")}; it takes effect at the next start").Length.ShouldBe(2, shim.Output);
    }

    [Fact]
    public async Task Systemd_hears_of_each_reload_and_of_settings_that_are_older_than_the_file()
    {
        var shim = await StartOn(Slowly);
        await Reload(shim, $"{Slowly}timeout: soon\n");
        await Wait.Until(() => shim.Notified.Count(said => said == "READY=1") == 2);
        shim.Notified.ShouldContain("RELOADING=1");
        var said = shim.Notified.First(said => said.StartsWith("MONOTONIC_USEC=", StringComparison.Ordinal));
        var uptime = double.Parse((await File.ReadAllTextAsync("/proc/uptime", TestContext.Current.CancellationToken)).Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
        (long.Parse(said.Split('=')[1], System.Globalization.CultureInfo.InvariantCulture) / 1e6).ShouldBeInRange(uptime - 60, uptime + 60);
        shim.Status.ShouldStartWith($"STATUS=the settings are older than {ConfigPath}, which cannot be used: timeout (image-cri-shim.yaml:");

        await Reload(shim, Slowly);
        await Wait.Until(() => shim.Notified.Count(said => said == "READY=1") == 3);
        shim.Status.ShouldNotContain("older");
    }

    [Fact]
    public async Task A_file_that_was_mended_ends_failing_open_for_connections_that_are_open_too()
    {
        var runtime = StartRuntime();
        await using var registry = FakeRegistry.Start();
        registry.Add("library/nginx", "1.25");
        Configure("x: y\n");
        var shim = AtEnd(await Supervisor.StartAsync(["--notify", NotifyPath], ["-f", ConfigPath, "--fail-open"]));
        await Wait.Until(() => shim.Notified.Contains("READY=1"));
        await using var caller = await RawCaller.ConnectAsync(ShimSocketPath);
        await Pull(caller);
        runtime.CallsOf("PullImage").Single().Image.ShouldBe("nginx:1.25");

        await Reload(shim, "x: z\n"); // still none
        await Wait.Until(() => shim.Notified.Count(said => said == "READY=1") == 2);
        shim.Status.ShouldStartWith("STATUS=FAIL OPEN");
        Configure($"address: {registry.Address}\n");
        await shim.SignalAsync(SigHup);
        await Wait.Until(() => shim.Output.Contains("this is the end of FAIL OPEN"), shim.Output);
        await Pull(caller);
        runtime.CallsOf("PullImage").ShouldContain(call => call.Image == $"{registry.Host}/library/nginx:1.25");
        await Wait.Until(() => !shim.Status.Contains("FAIL OPEN"));
    }

    [Fact]
    public async Task Registries_that_stay_the_same_are_not_asked_again()
    {
        StartRuntime();
        await using var registry = FakeRegistry.Start();
        registry.Add("library/nginx", "1.25");
        var shim = await StartOn(Slowly, registry.Address);
        await Pull();
        var before = (registry.Requests.Count, registry.Connections);
        Configure($"address: {registry.Address}\n{Slowly}timeout: 5m\n");
        await shim.SignalAsync(SigHup);
        await Wait.Until(() => shim.Output.Contains("timeout 15m -> 5m"), shim.Output);
        await Pull();
        (registry.Requests.Count, registry.Connections).ShouldBe(before);
    }

    [Fact]
    public async Task A_drop_in_that_appears_and_goes_is_seen()
    {
        var shim = await StartOn(Often);
        System.IO.Directory.CreateDirectory(Directory.File("image-cri-shim.d"));
        var dropIn = Directory.File("image-cri-shim.d/10.yaml");
        await File.WriteAllTextAsync(dropIn, "timeout: 3m\n", TestContext.Current.CancellationToken);
        await Wait.Until(() => shim.Output.Contains("settings: timeout 15m -> 3m"), shim.Output);
        File.Delete(dropIn);
        await Wait.Until(() => shim.Output.Contains("settings: timeout 3m -> 15m"), shim.Output);
    }

    [Fact]
    public async Task Each_of_many_calls_goes_by_one_set_of_settings()
    {
        var runtime = StartRuntime();
        await using var one = FakeRegistry.Start();
        await using var other = FakeRegistry.Start();
        one.Add("library/nginx", "1.25");
        other.Add("library/nginx", "1.25");
        string Settings(FakeRegistry registry, string user) => $"address: {registry.Address}\nauth: {user}:secret\nofflineOnly: true\n{Slowly}";
        Configure(Settings(one, "one"));
        var shim = await SuperviseReady();
        var pulling = Enumerable.Range(0, 100).Select(async _ =>
        {
            for (var i = 0; i < 10; i++)
                await Pull();
        }).ToList();
        for (var i = 0; pulling.Exists(task => !task.IsCompleted) || i < 2; i++)
        {
            var replies = shim.Notified.Count(said => said == "READY=1");
            Configure(i % 2 == 0 ? Settings(other, "other") : Settings(one, "one"));
            await shim.SignalAsync(SigHup);
            await Wait.Until(() => shim.Notified.Count(said => said == "READY=1") > replies);
        }

        await Task.WhenAll(pulling);
        await Pull();
        var seen = runtime.CallsOf("PullImage").Where(call => call.Image.Length > 0).Select(call => $"{call.Image} as {call.Auth?.Username}").Distinct().Order(StringComparer.Ordinal);
        string[] whole = [$"{one.Host}/library/nginx:1.25 as one", $"{other.Host}/library/nginx:1.25 as other"];
        seen.ShouldBe(whole.Order(StringComparer.Ordinal));
    }

    private async Task<Supervisor> StartOn(string yaml, string address = "http://127.0.0.1:1")
    {
        if (!File.Exists(RuntimeSocketPath))
            StartRuntime();
        Configure($"address: {address}\n{yaml}");
        return await SuperviseReady();
    }

    private Task Reload(Supervisor shim, string yaml)
    {
        Configure($"address: http://127.0.0.1:1\n{yaml}");
        return shim.SignalAsync(SigHup);
    }

    private async Task Pull()
    {
        await using var caller = await RawCaller.ConnectAsync(ShimSocketPath);
        await Pull(caller);
    }

    private static async Task Pull(RawCaller caller) =>
        (await caller.CallAsync(CriRelayTest.ImageService + "PullImage", CriRelayTest.For("nginx:1.25"))).Status.ShouldBe(0);
}
