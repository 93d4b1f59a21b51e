using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Hosting;

/// <summary>What systemd hears: sd_notify(3).</summary>
[Trait("suite", "endtoend")]
public sealed class Notifying : SupervisedTest
{
    private const int SigContinue = 18;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Says_that_it_is_ready_when_it_serves_and_when_it_stops(bool abstractName)
    {
        StartRuntime();
        Configure();
        var shim = await Supervise("--notify", abstractName ? $"@{NotifyPath}" : NotifyPath);
        await Wait.Until(() => shim.Notified.Contains("READY=1"), "it is ready");
        (await Call()).Status.ShouldBe(0);
        shim.Status.ShouldContain($"on {ShimSocketPath}; runtime {RuntimeSocketPath} is there");
        shim.Notified.ShouldNotContain("STOPPING=1");

        await shim.SignalAsync(SigTerm);
        (await shim.ExitAsync()).ShouldBe(0);
        shim.Notified.ShouldContain("STOPPING=1");
        shim.Notified.Count(said => said == "READY=1").ShouldBe(1);
        shim.Notified.ShouldNotContain("WATCHDOG=1"); // nobody asked for it
    }

    [Fact]
    public async Task Names_the_process_that_it_hands_over_to_and_itself_when_that_one_has_died()
    {
        const string slow = "/runtime.v1.RuntimeService/ExecSync";
        const int sigKill = 9;
        var finish = new TaskCompletionSource();
        StartRuntime().On(slow, async call =>
        {
            await call.ReadRequestAsync();
            await finish.Task;
            await call.AnswerAsync([1]);
        });
        Configure();
        var shim = await SuperviseReady("--watchdog", "200");
        var going = Call(slow);
        (await Run("reload", "--handover", "-f", ConfigPath)).Code.ShouldBe(0);
        await Wait.Until(() => shim.Notified.Count(said => said == "READY=1") >= 2, "the other one is ready");
        var successor = Processes.StartedWith(ConfigPath).Single(process => shim.Notified.Contains($"MAINPID={process}"));
        Processes.Signal(successor, sigKill);
        await Wait.Until(() => shim.Notified.Contains($"MAINPID={shim.Pid}"), "it names itself");
        var heard = shim.Notified.Count;
        await Wait.Until(() => shim.Notified.Skip(heard).Contains("WATCHDOG=1"), "it says that it lives");
        shim.Notified.SkipWhile(said => said != $"MAINPID={shim.Pid}").ShouldContain("READY=1");
        finish.SetResult();
        (await going).Status.ShouldBe(0);
    }

    [Fact]
    public async Task Keeps_its_status_true_while_the_runtime_goes_and_comes()
    {
        var runtime = StartRuntime();
        Configure();
        var shim = await SuperviseReady();
        await runtime.DisposeAsync();
        await Wait.Until(() => shim.Status.Contains("answered UNAVAILABLE"), "the status says that the runtime is away");
        shim.Status.ShouldContain(RuntimeSocketPath);
        StartRuntime();
        await Wait.Until(() => shim.Status.Contains("is there"), "the status says that it is back");
    }

    [Fact]
    public async Task Pings_for_as_long_as_it_lives()
    {
        StartRuntime();
        Configure();
        var shim = await SuperviseReady("--watchdog", "200");
        int Pings() => shim.Notified.Count(said => said == "WATCHDOG=1");
        await Wait.Until(() => Pings() > 2);
        await shim.FreezeAsync();
        await shim.HearAsync();
        var before = Pings();
        await Task.Delay(500, TestContext.Current.CancellationToken); // five pings
        Pings().ShouldBe(before);
        await shim.SignalAsync(SigContinue);
        await Wait.Until(() => Pings() > before);
    }

    [Fact]
    public async Task Pings_no_more_when_its_socket_file_is_gone_and_says_why()
    {
        StartRuntime();
        Configure();
        var shim = await SuperviseReady("--watchdog", "200");
        File.Delete(ShimSocketPath);
        await Wait.Until(() => shim.Output.Contains($"callers do not reach {ShimSocketPath}"));
        await shim.HearAsync();
        var before = shim.Notified.Count(said => said == "WATCHDOG=1");
        await Task.Delay(500, TestContext.Current.CancellationToken); // five pings
        shim.Notified.Count(said => said == "WATCHDOG=1").ShouldBe(before);
    }

    [Fact]
    public async Task Does_not_ping_for_another_process()
    {
        StartRuntime();
        Configure();
        var shim = await SuperviseReady("--watchdog", "100", "--watchdog-pid", "1");
        await Task.Delay(300, TestContext.Current.CancellationToken); // six pings
        shim.Notified.ShouldNotContain("WATCHDOG=1");
    }

    [Fact]
    public async Task Serves_where_nobody_hears()
    {
        StartRuntime();
        await StartShim("", ("NOTIFY_SOCKET", Directory.File("nobody")), ("WATCHDOG_USEC", "100000"));
        (await Call()).Status.ShouldBe(0);
    }
}
