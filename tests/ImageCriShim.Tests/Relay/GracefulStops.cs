using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Relay;

/// <summary>
/// A shim that stops and whose successor has not been started goes on serving until only young calls are left. A caller that connects meanwhile is
/// served too; one that connects during the pause waits in the socket.
/// </summary>
public sealed class GracefulStops : RelayTest
{
    private const string ExecSync = "/runtime.v1.RuntimeService/ExecSync";
    private const string Events = "/runtime.v1.RuntimeService/GetContainerEvents";

    private readonly CancellationTokenSource _hurry = new();
    private readonly TaskCompletionSource _hasBegun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly FakeTime _runtimeClock = new(); // stands still, so that no caller loses its patience
    private bool _isHeldUp;

    public GracefulStops() => RuntimeClock = _runtimeClock;

    [Fact]
    public async Task A_shim_without_calls_ends_at_once()
    {
        var (caller, _) = await Begin();
        await caller.CallAsync("/test.Fake/Unary", [1]);
        await Wait.For(Stop());
        await Wait.For(caller.Connection.Closed);
    }

    [Fact]
    public async Task While_an_old_call_goes_on_new_callers_are_served_and_nobody_is_told_to_leave()
    {
        var (caller, _) = await Begin();
        var finish = Hold(ExecSync);
        var old = await StartCall(caller, ExecSync);
        var stopping = Stop();
        for (var calls = 0; calls < 20; calls++)
        {
            await using var other = await RawCaller.ConnectAsync(ShimSocketPath);
            (await other.CallAsync("/test.Fake/Unary", [1])).Status.ShouldBe(0);
        }

        caller.Connection.Received.ShouldAllBe(frame => frame.Type != FrameType.GoAway);
        stopping.IsCompleted.ShouldBeFalse();
        finish.SetResult();
        (await old.ReadAnswerAsync()).Status.ShouldBe(0);
        await Wait.For(stopping);
    }

    [Fact]
    public async Task A_young_call_that_is_long_makes_it_accept_again()
    {
        var (caller, _) = await Begin();
        var (first, second) = (Hold(ExecSync), Hold("/runtime.v1.RuntimeService/StopContainer"));
        var old = await StartCall(caller, ExecSync);
        var stopping = Stop();
        await Wait.For(_hasBegun.Task); // a call from before it is no young one
        var young = await StartCall(await Connect(), "/runtime.v1.RuntimeService/StopContainer");
        first.SetResult();
        (await old.ReadAnswerAsync()).Status.ShouldBe(0);
        await young.Connection.WaitForFrame(FrameType.GoAway); // the pause has begun; whoever connects now waits
        await using var other = await RawCaller.ConnectAsync(ShimSocketPath);
        (await other.CallAsync("/test.Fake/Unary", [1])).Status.ShouldBe(0);
        stopping.IsCompleted.ShouldBeFalse();
        second.SetResult();
        (await young.ReadAnswerAsync()).Status.ShouldBe(0);
        await Wait.For(stopping);
    }

    [Theory]
    [InlineData(Events)]
    [InlineData("/containerd.services.events.v1.Events/Subscribe")]
    [InlineData("/some.service.of/Tomorrow")]
    public async Task A_stream_that_is_silent_delays_nothing_and_is_named(string path)
    {
        var (watcher, _) = await Begin();
        Hold(path); // sends no headers either, as containerd's Subscribe does
        await StartCall(watcher, path);
        await Wait.For(Stop());
        await Wait.For(watcher.Connection.Closed);
        var method = path.Split('/')[^1];
        Log.Lines.ShouldContain(line => line.Contains($"1 streams are ended that have carried no message lately: {method} for"));
    }

    [Theory]
    [InlineData("/runtime.v1.RuntimeService/ExecSync")]
    [InlineData("/runtime.v1.RuntimeService/StopContainer")]
    [InlineData("/runtime.v1alpha2.ImageService/PullImage")]
    [InlineData("/runtime.v1.RuntimeService/MethodOfNextYear")]
    public async Task A_call_of_CRI_is_waited_for_however_silent_it_is(string path)
    {
        var (caller, _) = await Begin();
        var finish = Hold(path);
        var call = await StartCall(caller, path);
        var stopping = Stop();
        await Task.Delay(TimeSpan.FromSeconds(4), TestContext.Current.CancellationToken); // longer than a silent stream is waited for
        stopping.IsCompleted.ShouldBeFalse();
        finish.SetResult();
        (await call.ReadAnswerAsync()).Status.ShouldBe(0);
        await Wait.For(stopping);
    }

    [Fact]
    public async Task At_the_limit_calls_are_cut_and_named()
    {
        Expect("1 calls are cut, because they did not end within 0.5 s (--stop-timeout); callers see UNAVAILABLE: ExecSync for");
        var (caller, _) = await Begin();
        Hold(ExecSync);
        await StartCall(caller, ExecSync);
        await Wait.For(Stop(TimeSpan.FromSeconds(0.5)));
        await Wait.For(caller.Connection.Closed);
        Log.Complaints.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task In_a_hurry_everything_is_cut()
    {
        Expect("1 calls are cut");
        var (caller, _) = await Begin();
        Hold(ExecSync);
        await StartCall(caller, ExecSync);
        var stopping = Stop();
        await _hurry.CancelAsync();
        await Wait.For(stopping);
        await Wait.For(caller.Connection.Closed);
    }

    [Fact]
    public async Task While_a_predecessor_still_has_calls_it_goes_on_serving()
    {
        await Begin();
        _isHeldUp = true;
        var stopping = Stop();
        await using var other = await RawCaller.ConnectAsync(ShimSocketPath);
        (await other.CallAsync("/test.Fake/Unary", [1])).Status.ShouldBe(0);
        stopping.IsCompleted.ShouldBeFalse();
        Volatile.Write(ref _isHeldUp, false);
        await Wait.For(stopping);
    }

    [Fact]
    public async Task A_caller_that_was_accepted_and_waits_for_the_runtime_is_served()
    {
        StartRelay();
        var caller = await Connect();
        await Wait.Until(() => Listener.Connections == 1, "it waits");
        var stopping = Stop();
        await Task.WhenAny(stopping, Task.Delay(TimeSpan.FromSeconds(1.5), TestContext.Current.CancellationToken)); // two pauses
        stopping.IsCompleted.ShouldBeFalse();
        StartRuntime();
        (await caller.CallAsync("/test.Fake/Unary", [1])).Status.ShouldBe(0);
        await Wait.For(stopping);
    }

    [Fact]
    public async Task Behind_a_runtime_that_hangs_it_is_waited_for_no_longer_than_for_one_that_is_away()
    {
        using var end = new ManualResetEventSlim();
        StartRuntime();
        StartRelay(isWanted =>
        {
            end.Wait(RawConnection.Patience); // asks it what it speaks
            return Edits.Route;
        });
        await Connect();
        await Wait.Until(() => Listener.Connections == 1, "it waits");
        var stopping = Stop();
        await Wait.For(_hasBegun.Task);
        _runtimeClock.Advance(TimeSpan.FromSeconds(3));
        await Wait.For(stopping);
        end.Set();
    }

    [Fact]
    public async Task A_shim_that_resumes_serves_those_who_waited_in_the_socket()
    {
        await Begin();
        Listener.Drain(() => true); // returns at once, and accepts no more
        var waiting = RawCaller.ConnectAsync(ShimSocketPath);
        await Wait.AWhile();
        Listener.Resume();
        await using var caller = await waiting;
        (await caller.CallAsync("/test.Fake/Unary", [1])).Status.ShouldBe(0);
    }

    [Fact]
    public async Task A_caller_that_waits_when_nobody_will_serve_is_told_why()
    {
        await Begin();
        await Wait.For(Stop());
        var waiting = await RawCaller.ConnectAsync(ShimSocketPath);
        var call = waiting.Start("/test.Fake/Unary");
        await call.SendMessageAsync([1], end: true);
        await waiting.Connection.SendBytesAsync([]); // all of it is in the socket
        await Task.Run(() => Listener.RefuseWaiting("it has been stopped"), TestContext.Current.CancellationToken);
        var answer = await call.ReadAnswerAsync();
        answer.Status.ShouldBe(14); // UNAVAILABLE
        answer.Message.ShouldBe("image-cri-shim: it has been stopped");
        await waiting.DisposeAsync();
    }

    private Task Stop(TimeSpan? limit = null) =>
        Task.Run(() => Listener.Stop(limit ?? TimeSpan.FromMinutes(5), IsHeldUp, _hurry.Token));

    private bool IsHeldUp()
    {
        _hasBegun.TrySetResult();
        return Volatile.Read(ref _isHeldUp);
    }
}
