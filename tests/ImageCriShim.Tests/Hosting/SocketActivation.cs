using ImageCriShim.Hosting;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Relay;

namespace ImageCriShim.Tests.Hosting;

/// <summary>A socket that systemd made, and goes on holding. (systemd itself does so in BootedNode.ActivatingIt.)</summary>
[Trait("suite", "endtoend")]
public sealed class SocketActivation : SupervisedTest
{
    private string Listen => $"stream:{ShimSocketPath}";

    [Fact]
    public async Task Serves_on_it_with_the_access_that_the_runtimes_has_and_leaves_it()
    {
        StartRuntime();
        File.SetUnixFileMode(RuntimeSocketPath, (UnixFileMode)0b110_110_000);
        Configure();
        var shim = await SuperviseReady("--listen", Listen);
        var before = FileIdentity.Find(ShimSocketPath)!;
        (await Call()).Status.ShouldBe(0);
        before.Mode.ShouldBe((UnixFileMode)0b110_110_000);
        shim.Output.ShouldNotContain("warn");

        await shim.SignalAsync(SigTerm);
        (await shim.ExitAsync()).ShouldBe(0);
        before.IsSameFile(FileIdentity.Find(ShimSocketPath)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_call_that_comes_between_two_processes_waits_for_the_second()
    {
        StartRuntime();
        Configure();
        var shim = await SuperviseReady("--listen", Listen);
        (await Call()).Status.ShouldBe(0);
        await shim.SignalAsync(SigTerm);
        (await shim.ExitAsync()).ShouldBe(0);
        var call = Call();
        await Wait.AWhile();
        call.IsCompleted.ShouldBeFalse();
        await shim.StartAgainAsync();
        (await call).Status.ShouldBe(0);
    }

    [Fact]
    public async Task Is_served_even_without_the_runtime()
    {
        Configure(); // no force: true
        await SuperviseReady("--listen", Listen);
        var refused = await Call();
        refused.Status.ShouldBe(14);
        StartRuntime();
        File.SetUnixFileMode(RuntimeSocketPath, (UnixFileMode)0b110_110_000);
        (await Call()).Status.ShouldBe(0);
        FileIdentity.Find(ShimSocketPath)!.Mode.ShouldBe((UnixFileMode)0b110_110_000);
    }

    [Fact]
    public async Task Of_another_path_than_the_settings_name_is_served_with_a_warning()
    {
        StartRuntime();
        Configure();
        var other = Directory.File("other.sock");
        var shim = await SuperviseReady("--listen", $"stream:{other}");
        await using var caller = await RawCaller.ConnectAsync(other);
        (await caller.CallAsync("/test.Fake/Unary", [1])).Status.ShouldBe(0);
        shim.ShouldSay($"systemd listens on {other}, but shim: names {ShimSocketPath}");
        File.Exists(ShimSocketPath).ShouldBeFalse();
    }

    [Fact]
    public async Task By_another_name_of_the_same_file_needs_no_warning()
    {
        StartRuntime();
        Configure();
        File.CreateSymbolicLink(Directory.File("link"), Directory.Path); // as /var/run is one to /run
        var shim = await SuperviseReady("--listen", $"stream:{Directory.File("link/shim.sock")}");
        shim.Output.ShouldNotContain("warn");
    }

    [Fact]
    public async Task For_another_process_is_left_alone()
    {
        StartRuntime();
        Configure();
        var shim = await SuperviseReady("--listen", $"stream:{Directory.File("other.sock")}", "--listen-pid", "1");
        (await Call()).Status.ShouldBe(0);
        shim.Output.ShouldNotContain("warn");
    }

    [Theory]
    [InlineData("a socket of the network", "tcp:")]
    [InlineData("not for streams", "dgram:x.sock")]
    [InlineData("not a socket that listens", "connection:x.sock")]
    [InlineData("anybody may call it", "stream:@x.sock")]
    [InlineData("something that is no socket", "pipe:")]
    [InlineData("2 sockets", "stream:x.sock", "stream:y.sock")]
    public async Task Of_the_wrong_kind_is_refused_with_what_to_do(string reason, params string[] places)
    {
        StartRuntime();
        Configure();
        var options = places.SelectMany(place => (string[])["--listen", Placed(place)]).ToArray();
        var shim = await Supervise(options);
        (await shim.ExitAsync()).ShouldBe(1);
        await Wait.Until(() => shim.Output.Contains(reason), reason);
        shim.ShouldSay("ListenStream=");
    }

    [Fact]
    public async Task What_the_shim_starts_gets_neither_the_socket_nor_the_variables()
    {
        StartRuntime();
        var seen = Directory.File("seen");
        Script.Write(Directory.File("docker-credential-spy"), $"env > {seen}.new; ls -l /proc/self/fd >> {seen}.new; mv {seen}.new {seen}");
        await File.WriteAllTextAsync(
            Directory.File("config.json"), """{"credHelpers": {"127.0.0.1:1": "spy"}}""", TestContext.Current.CancellationToken);
        Configure($"address: http://127.0.0.1:1\ndockerConfig: {Directory.File("config.json")}\n");
        var path = $"{Directory.Path}:{Environment.GetEnvironmentVariable("PATH")}";
        var shim = await SuperviseReady("--listen", Listen, "--watchdog", "60000", "--variable", $"PATH={path}");
        await using (var caller = await RawCaller.ConnectAsync(ShimSocketPath))
            await caller.CallAsync(CriRelayTest.ImageService + "PullImage", CriRelayTest.For("nginx:1.25"));
        await Wait.Until(() => File.Exists(seen), $"the helper runs\n{shim.Output}");
        var text = await File.ReadAllTextAsync(seen, TestContext.Current.CancellationToken);
        text.ShouldContain("PATH=");
        foreach (var name in (string[])["LISTEN_", "NOTIFY_SOCKET", "WATCHDOG_"])
            text.ShouldNotContain(name);
        text.ShouldNotContain("socket:");
    }

    /// <summary>KIND:NAME with the name in the directory of the test.</summary>
    private string Placed(string place)
    {
        var (kind, name) = (place.Split(':')[0], place.Split(':')[1]);
        return name.StartsWith('@') ? $"{kind}:@{Directory.File(name[1..])}" : $"{kind}:{Directory.File(name)}";
    }
}
