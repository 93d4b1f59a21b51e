using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Relay;

/// <summary>Rule 6: RST_STREAM in every state of a taken stream, from either side.</summary>
public sealed class Resets : RelayTest
{
    [Fact]
    public async Task By_the_caller_while_its_request_is_collected_reach_the_runtime()
    {
        var (caller, runtime) = await Begin();
        var stream = caller.Start("/edit/Answer");
        await stream.SendDataAsync(new byte[10_000]);
        await caller.Connection.PingAsync();
        Listener.HeldBytes.ShouldBe(10_000);
        stream.Cancel();
        await runtime.WaitForFrame(frame => frame.SameAs(Frame.RstStream(stream.Id, Http2Error.Cancel)));
        await Wait.Until(() => Listener.HeldBytes == 0, "nothing is held");
        await StillWorks(caller);
    }

    [Fact]
    public async Task By_the_caller_while_the_answer_is_watched_reach_the_runtime()
    {
        var (caller, runtime) = await Begin();
        Runtime.On("/edit/Watch", async call =>
        {
            await call.SendAsync(new byte[5_000]);
            await Task.Delay(Timeout.Infinite, call.Cancelled);
        });
        var stream = caller.Start("/edit/Watch");
        await stream.SendMessageAsync([1], end: true);
        await Wait.Until(() => Listener.HeldBytes > 5_000, "the answer is held");
        stream.Cancel();
        await runtime.WaitForFrame(frame => frame.SameAs(Frame.RstStream(stream.Id, Http2Error.Cancel)));
        await Wait.Until(() => Listener.HeldBytes == 0, "nothing is held");
        await StillWorks(caller);
        caller.Connection.Received.ShouldNotContain(frame => frame.Stream == stream.Id && frame.Type == FrameType.Headers);
    }

    [Fact]
    public async Task By_the_caller_while_we_answer_end_our_work_and_are_not_told_twice()
    {
        var (caller, runtime) = await Begin();
        Edits.Answer = async (_, cancellation) =>
        {
            await Task.Delay(Timeout.Infinite, cancellation);
            return null;
        };
        var stream = caller.Start("/edit/Answer");
        await stream.SendMessageAsync([1], end: true);
        await Wait.Until(() => Edits.Calls.Count == 1, "the call is there");
        var cancelled = await Edits.Calls[0].Answering;
        stream.Cancel();
        await Wait.Until(() => cancelled.IsCancellationRequested, "the work is told");
        await StillWorks(caller);
        runtime.Received.Count(frame => frame.Type == FrameType.RstStream && frame.Stream == stream.Id).ShouldBe(1);
    }

    [Fact]
    public async Task By_the_caller_after_our_answer_are_dropped()
    {
        var (caller, runtime) = await Begin();
        var stream = caller.Start("/edit/Answer");
        await stream.SendMessageAsync([1], end: true);
        await stream.ReadAnswerAsync();
        stream.Cancel();
        stream.Cancel();
        await StillWorks(caller);
        runtime.Received.Count(frame => frame.Type == FrameType.RstStream && frame.Stream == stream.Id).ShouldBe(1);
    }

    [Fact]
    public async Task By_the_caller_end_an_answer_that_waits_for_its_window()
    {
        var (caller, _) = await Begin(new() { Credit = false });
        var stream = caller.Start("/edit/Answer");
        await stream.SendMessageAsync(new byte[1_000_000], end: true);
        await Wait.Until(() => stream.BytesReceived == 65_535, "the window is full");
        stream.Cancel();
        caller.Connection.Send(Frame.WindowUpdate(0, 1_000_000));
        await StillWorks(caller);
        stream.BytesReceived.ShouldBe(65_535);
        Listener.HeldBytes.ShouldBe(0);
    }

    [Theory]
    [InlineData("/edit/Answer", false)] // while its request is collected
    [InlineData("/edit/Watch", true)] // while its answer is watched
    public async Task By_the_runtime_reach_the_caller(string path, bool requestEnded)
    {
        var (caller, runtime) = await Begin();
        Runtime.On(path, _ => Task.CompletedTask);
        var stream = caller.Start(path);
        await stream.SendMessageAsync(new byte[1_000], requestEnded);
        await Wait.Until(() => Runtime.Calls.Count == 1, "the call is there");
        runtime.Send(Frame.RstStream(stream.Id, Http2Error.RefusedStream));
        (await stream.Reset).ShouldBe(Http2Error.RefusedStream);
        Listener.HeldBytes.ShouldBe(0);
        await StillWorks(caller);
    }

    [Fact]
    public async Task And_late_answers_of_the_runtime_to_a_call_that_we_answer_are_dropped()
    {
        var (caller, runtime) = await Begin();
        Runtime.On("/edit/Answer", _ => Task.CompletedTask);
        var release = new TaskCompletionSource();
        Edits.Answer = async (edit, _) =>
        {
            await release.Task;
            return FakeEdits.Ok(edit.Body.ToArray());
        };
        var stream = caller.Start("/edit/Answer");
        await stream.SendMessageAsync([1], end: true);
        await runtime.WaitForFrame(FrameType.RstStream);
        SendLateAnswer();
        await StillWorks(caller);
        release.SetResult();
        (await stream.ReadAnswerAsync()).Single.ShouldBe([1]);
        SendLateAnswer();
        await StillWorks(caller);
        caller.Connection.Received.Count(frame => frame.Stream == stream.Id && frame.Type == FrameType.Headers).ShouldBe(2);
        caller.Connection.Received.ShouldNotContain(frame => frame.Stream == stream.Id && frame.Type == FrameType.RstStream);

        void SendLateAnswer() => runtime.Send(
            Frame.Headers(stream.Id, Hpack.Encode((":status", "200"))),
            Frame.Data(stream.Id, new byte[30_000]),
            Frame.RstStream(stream.Id, Http2Error.Cancel));
    }

    /// <summary>RFC 9113 section 8.1: an answer may come before the request's end; the rest of it is not wanted then.</summary>
    [Fact]
    public async Task Without_an_error_follow_an_answer_that_came_before_the_requests_end()
    {
        var (caller, runtime) = await Begin();
        Runtime.On("/edit/Watch", call =>
        {
            call.Fail(7, "not you");
            return Task.CompletedTask;
        });
        var stream = caller.Start("/edit/Watch");
        await stream.SendDataAsync(new byte[1_000]);
        var answer = await stream.ReadAnswerAsync();
        (answer.Status, answer.Message).ShouldBe((7, "not you"));
        (await stream.Reset).ShouldBe(Http2Error.NoError);
        caller.Connection.Send(Frame.Data(stream.Id, new byte[10_000])); // was on its way
        await StillWorks(caller);
        runtime.Received.Count(frame => frame.Stream == stream.Id && frame.Type == FrameType.Data).ShouldBe(0);
    }

    private static async Task StillWorks(RawCaller caller) =>
        (await caller.CallAsync("/test.Fake/Unary", [42])).Single.ShouldBe([42]);
}
