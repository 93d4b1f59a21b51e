using System.Diagnostics;
using ImageCriShim.Tests.Fakes;
using ConnectionDrain = ImageCriShim.Relay.ConnectionDrain;

namespace ImageCriShim.Tests.Relay;

/// <summary>A shim whose successor accepts loses no call: callers are told to leave, and get the responses that they wait for.</summary>
public sealed class Farewells : RelayTest
{
    private const int Any = int.MaxValue;

    private readonly CancellationTokenSource _hurry = new();

    [Fact]
    public async Task An_idle_caller_is_told_to_come_back_and_its_connection_ends()
    {
        var (caller, _) = await Begin();
        await caller.CallAsync("/test.Fake/Unary", [1]);
        await Wait.For(End());
        await Wait.For(caller.Connection.Closed);
        GoAways(caller).ShouldBe([(Any, 0), (1, 0)]);
    }

    [Fact]
    public async Task Who_has_just_connected_is_told_behind_its_first_call()
    {
        var (caller, _) = await Begin();
        Listener.NewcomerPatience = RawConnection.Patience; // longer than this takes
        var ending = End();
        await Wait.AWhile();
        GoAways(caller).ShouldBeEmpty();
        var finish = Hold("/test/Slow");
        var slow = await StartCall(caller, "/test/Slow");
        await ShouldEndBehind(slow, finish, ending);
    }

    [Fact]
    public async Task Who_has_connected_and_never_calls_is_told_all_the_same()
    {
        var (caller, _) = await Begin();
        await Wait.For(End());
        await Wait.For(caller.Connection.Closed);
        GoAways(caller).ShouldBe([(Any, 0), (0, 0)]);
    }

    [Fact]
    public async Task Who_has_its_answers_may_close_the_connection_itself()
    {
        var (caller, _) = await Begin();
        await caller.CallAsync("/test.Fake/Unary", [1]);
        var begin = Stopwatch.GetTimestamp();
        var ending = End();
        await caller.Connection.WaitForFrame(frame => LastStream(frame) == 1);
        await Wait.AWhile();
        var isClosed = caller.Connection.Closed.IsCompleted;
        (isClosed && Stopwatch.GetElapsedTime(begin) < ConnectionDrain.Leaving).ShouldBeFalse("the shim has not waited");
        caller.Connection.Abort();
        await Wait.For(ending);
    }

    [Fact]
    public async Task A_call_in_flight_ends_normally()
    {
        var (caller, _) = await Begin();
        var finish = Hold("/test/Slow");
        var slow = await StartCall(caller, "/test/Slow");
        await ShouldEndBehind(slow, finish);
    }

    [Theory]
    [InlineData("/edit/Answer")]
    [InlineData("/edit/Prepare")]
    public async Task An_edited_call_in_flight_ends_normally(string path)
    {
        var finish = new TaskCompletionSource();
        Edits.Answer = async (edit, _) =>
        {
            await finish.Task;
            return FakeEdits.Ok(edit.Body.ToArray());
        };
        Edits.BeforePrepare = _ => finish.Task;
        var (caller, _) = await Begin();
        var slow = caller.Start(path);
        await slow.SendMessageAsync([1, 2], end: true);
        await Wait.Until(() => Edits.Calls.Count > 0 && Listener.HeldBytes > 0, "it is taken over");
        await ShouldEndBehind(slow, finish);
    }

    [Fact]
    public async Task A_call_that_was_on_its_way_before_the_caller_heard_is_taken()
    {
        var (caller, _) = await Begin(new RawOptions { AnswerPings = false });
        var finish = Hold("/test/Slow");
        var first = await StartCall(caller, "/test/Slow");
        var ending = End();
        var ping = await caller.Connection.WaitForFrame(frame => frame.Type is FrameType.Ping && !frame.Has(FrameFlags.Ack));
        var late = caller.Start("/test.Fake/Unary");
        await late.SendMessageAsync([7], end: true);
        (await late.ReadAnswerAsync()).Status.ShouldBe(0);
        caller.Connection.Send(ping with { Flags = FrameFlags.Ack });
        await caller.Connection.WaitForFrame(frame => LastStream(frame) == late.Id);
        finish.SetResult();
        (await first.ReadAnswerAsync()).Status.ShouldBe(0);
        await Wait.For(ending);
    }

    [Fact]
    public async Task A_call_behind_the_last_one_that_is_taken_reaches_nobody_and_those_before_it_go_on()
    {
        var (caller, runtime) = await Begin(new RawOptions { Encoder = RawOptions.Indexing });
        var finish = Hold("/test/Slow");
        var slow = caller.Start("/test/Slow");
        var ending = End();
        await caller.Connection.WaitForFrame(frame => LastStream(frame) == slow.Id);
        var late = caller.Start("/test/Late", new Header("kept-in-the-table", "of the caller"));
        await late.SendMessageAsync([1]);
        caller.Connection.Send(Frame.WindowUpdate(late.Id, 5));
        late.Cancel();
        await slow.SendMessageAsync([9], end: true);
        finish.SetResult();
        (await slow.ReadAnswerAsync()).Status.ShouldBe(0);
        await Wait.For(ending);
        runtime.Received.ShouldAllBe(frame => frame.Stream != late.Id);
    }

    [Fact]
    public async Task A_stream_without_end_goes_on_until_the_caller_ends_it()
    {
        var (watcher, _) = await Begin();
        var happens = new TaskCompletionSource();
        Runtime.On("/stream/Watch", async call =>
        {
            call.SendHeaders();
            await happens.Task;
            await call.SendAsync([1]);
        });
        var watch = await StartCall(watcher, "/stream/Watch");
        var ending = End();
        await watcher.Connection.WaitForFrame(frame => LastStream(frame) == watch.Id);
        await Wait.AWhile();
        happens.SetResult();
        (await watch.ReadMessageAsync())!.Bytes.ShouldBe([1]);
        ending.IsCompleted.ShouldBeFalse();
        watch.Cancel();
        await Wait.For(ending);
    }

    [Fact]
    public async Task A_connection_stays_open_for_a_while_behind_the_last_response()
    {
        var (caller, _) = await Begin();
        var finish = Hold("/test/Slow");
        var slow = await StartCall(caller, "/test/Slow");
        var ending = End();
        await caller.Connection.WaitForFrame(frame => LastStream(frame) == slow.Id);
        await Task.Delay(1500, TestContext.Current.CancellationToken); // longer than a caller that does not hear is waited for
        finish.SetResult();
        (await slow.ReadAnswerAsync()).Status.ShouldBe(0);
        var answered = Stopwatch.GetTimestamp();
        await Wait.For(caller.Connection.Closed);
        Stopwatch.GetElapsedTime(answered).ShouldBeGreaterThan(TimeSpan.FromMilliseconds(100));
        await Wait.For(ending);
    }

    [Fact]
    public async Task A_caller_that_does_not_answer_is_not_waited_for_unless_it_waits_itself()
    {
        await Begin(new RawOptions { AnswerPings = false });
        await Wait.For(End());
    }

    [Fact]
    public async Task A_call_that_the_caller_or_the_runtime_has_reset_is_not_waited_for()
    {
        var (caller, _) = await Begin();
        Hold("/test/Slow");
        Runtime.On("/test/Reset", async call =>
        {
            await call.ReadRequestAsync();
            call.Stream.Cancel();
        });
        (await StartCall(caller, "/test/Slow")).Cancel();
        await (await StartCall(caller, "/test/Reset")).Reset;
        await Wait.For(End());
    }

    [Fact]
    public async Task In_a_hurry_everything_is_cut()
    {
        var (caller, _) = await Begin();
        Hold("/test/Slow");
        await StartCall(caller, "/test/Slow");
        var ending = End();
        await caller.Connection.WaitForFrame(FrameType.GoAway);
        await _hurry.CancelAsync();
        await Wait.For(ending);
        await Wait.For(caller.Connection.Closed);
    }

    private Task End() => Task.Run(() =>
    {
        Listener.Drain(() => _hurry.IsCancellationRequested);
        Listener.End();
    });

    private Task ShouldEndBehind(RawStream call, TaskCompletionSource finish) => ShouldEndBehind(call, finish, End());

    private static async Task ShouldEndBehind(RawStream call, TaskCompletionSource finish, Task ending)
    {
        await call.Connection.WaitForFrame(frame => LastStream(frame) == call.Id);
        ending.IsCompleted.ShouldBeFalse();
        finish.SetResult();
        (await call.ReadAnswerAsync()).Status.ShouldBe(0);
        await Wait.For(ending);
    }

    private static int? LastStream(Frame frame) => frame.Type is FrameType.GoAway ? (int)frame.Number : null;

    private static IEnumerable<(int Last, int Code)> GoAways(RawCaller caller) =>
        caller.Connection.Received.Where(frame => frame.Type is FrameType.GoAway).Select(frame => ((int)frame.Number, (int)frame.Payload[7]));
}
