using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Hosting;

/// <summary>What callers see of a shim that is stopped, and what its supervisor does.</summary>
[Trait("suite", "endtoend")]
public sealed class Stopping : DaemonTest
{
    private const int SigTerm = 15;
    private const int SigInt = 2;

    [Theory]
    [InlineData(SigTerm)]
    [InlineData(SigInt)]
    public async Task A_call_in_flight_ends_first_and_the_exit_code_is_0(int signal)
    {
        var (shim, slow, finish) = await StartCall();
        shim.Signal(signal);
        shim.ShouldSay("stopping; open calls on ");
        (await Call()).Status.ShouldBe(0); // others are served meanwhile
        shim.HasExited.ShouldBeFalse();
        finish.SetResult();
        (await slow.ReadAnswerAsync()).Status.ShouldBe(0);
        (await shim.ExitAsync()).ShouldBe(0);
        File.Exists(ShimSocketPath).ShouldBeFalse();
        shim.ShouldNotHaveComplained();
    }

    [Fact]
    public async Task A_second_signal_cuts_what_is_in_flight_and_says_so()
    {
        var (shim, slow, _) = await StartCall();
        shim.Signal(SigTerm);
        shim.ShouldSay("stopping; open calls on ");
        shim.Signal(SigTerm);
        (await shim.ExitAsync()).ShouldBe(0);
        await Wait.For(slow.Connection.Closed);
        shim.Output.ShouldMatch("SIGTERM again: calls on [12] connections are cut", shim.Output); // who looked whether it serves may not have been seen off yet
    }

    [Fact]
    public async Task A_watch_of_events_does_not_keep_it()
    {
        var runtime = StartRuntime();
        runtime.On("/runtime.v1.RuntimeService/GetContainerEvents", call => call.ReadRequestAsync());
        var shim = await StartShim();
        var caller = AtEnd(await RawCaller.ConnectAsync(ShimSocketPath));
        var watch = caller.Start("/runtime.v1.RuntimeService/GetContainerEvents");
        await watch.SendMessageAsync([], end: true);
        await caller.Connection.PingAsync();
        (await shim.StopAsync()).ShouldBe(0);
    }

    private async Task<(ShimProcess Shim, RawStream Slow, TaskCompletionSource Finish)> StartCall()
    {
        var (reached, finish) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource());
        StartRuntime().On("/runtime.v1.RuntimeService/ExecSync", async call =>
        {
            await call.ReadRequestAsync();
            reached.SetResult();
            await finish.Task;
            await call.AnswerAsync([1]);
        });
        var shim = await StartShim();
        var slow = AtEnd(await RawCaller.ConnectAsync(ShimSocketPath)).Start("/runtime.v1.RuntimeService/ExecSync");
        await slow.SendMessageAsync([1], end: true);
        await Wait.For(reached.Task);
        return (shim, slow, finish);
    }
}
