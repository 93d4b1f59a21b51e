using System.Security.Cryptography;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Relay;

/// <summary>
/// Rule 5: two senders share one receiver's windows and none may be overrun, starved or told a wrong number. What a receiver has
/// given is counted by hand here: no credit but what the test gives.
/// </summary>
public sealed class FlowControl : RelayTest
{
    private const int Window = 65_535; // RFC 9113 section 6.9.2

    private static readonly RawOptions s_byHand = new() { Credit = false };

    public static TheoryData<string> Edited => ["/edit/Forward", "/edit/Watch", "/edit/Refuse", "/edit/Answer"];

    [Fact]
    public async Task An_answer_of_our_own_waits_for_both_windows()
    {
        var (caller, _) = await Begin(s_byHand);
        var stream = await CallByHand(caller, "/edit/Answer", 200_000);
        await Reaches(stream, Window);
        stream.GiveCredit(100_000);
        await Reaches(stream, Window); // the connection's window is used up
        caller.Connection.Send(Frame.WindowUpdate(0, 30_000));
        await Reaches(stream, Window + 30_000);
        caller.Connection.Send(Frame.WindowUpdate(0, 1_000_000));
        await Reaches(stream, Window + 100_000); // the stream's window is used up
        stream.GiveCredit(1);
        await Reaches(stream, Window + 100_001);
        stream.GiveCredit(1_000_000);
        (await stream.ReadAnswerAsync()).Single.Length.ShouldBe(200_000);
    }

    [Fact]
    public async Task What_we_sent_is_taken_off_the_window_updates_that_the_runtime_hears_of()
    {
        var (caller, runtime) = await Begin(s_byHand);
        var stream = await CallByHand(caller, "/edit/Answer", 50_000 - GrpcMessage.PrefixLength);
        await stream.ReadAnswerAsync();
        caller.Connection.Send(Frame.WindowUpdate(0, 20_000), Frame.WindowUpdate(0, 40_000), Frame.WindowUpdate(0, 5_000));
        await Wait.Until(() => ConnectionCredit(runtime) > 0, "the runtime hears of what is left");
        await Wait.AWhile();
        ConnectionCredit(runtime).ShouldBe(15_000);
    }

    [Fact]
    public async Task A_forwarded_answer_behind_our_debt_goes_as_far_as_the_window_and_no_further()
    {
        var (caller, _) = await Begin(s_byHand);
        var ours = await CallByHand(caller, "/edit/Answer", 60_000 - GrpcMessage.PrefixLength);
        await ours.ReadAnswerAsync();
        var forwarded = await CallByHand(caller, "/test.Fake/Unary", 50_000); // the runtime believes in 65,535
        await Reaches(forwarded, Window - 60_000);
        caller.Connection.Send(Frame.WindowUpdate(0, 7_000)); // repays debt: the runtime does not hear of it, the parked frames move
        await Reaches(forwarded, Window - 60_000 + 7_000);
        caller.Connection.Send(Frame.WindowUpdate(0, 100_000));
        (await forwarded.ReadAnswerAsync()).Single.Length.ShouldBe(50_000);
    }

    [Fact]
    public async Task A_padded_frame_that_has_to_wait_is_split_without_its_padding()
    {
        var (caller, runtime) = await Begin(s_byHand);
        var ours = await CallByHand(caller, "/edit/Answer", 60_000 - GrpcMessage.PrefixLength);
        await ours.ReadAnswerAsync();
        Runtime.On("/test/Padded", async call =>
        {
            await call.ReadRequestAsync();
            call.SendHeaders();
            runtime.Send(Frame.Data(call.Stream.Id, GrpcMessage.Encode(new byte[10_000]), padding: 200));
            call.Finish();
        });
        var padded = await CallByHand(caller, "/test/Padded", 1);
        await Reaches(padded, Window - 60_000);
        caller.Connection.Send(Frame.WindowUpdate(0, 70_000));
        (await padded.ReadAnswerAsync()).Single.Length.ShouldBe(10_000);
        await Wait.Until(() => ConnectionCredit(runtime) > 0, "the runtime hears of what is left");
        // Of the 70,206 octets that we and the runtime were to send, 201 of padding were not: they are the runtime's again.
        ConnectionCredit(runtime).ShouldBe(10_000 + 201);
    }

    /// <summary>grpc-go half-closes with an empty DATA frame, which no window holds back.</summary>
    [Fact]
    public async Task An_empty_frame_with_END_STREAM_stays_behind_the_data_that_waits()
    {
        var (caller, runtime) = await Begin(runtime: s_byHand);
        await OweTheRuntime(caller, runtime);
        var forwarded = caller.Start("/test.Fake/Unary");
        await forwarded.SendMessageAsync(new byte[30_000]);
        forwarded.HalfClose();
        await caller.Connection.PingAsync();
        await Wait.Until(() => Received(runtime, forwarded.Id) == Window - 60_000, "what fits is there");
        runtime.Received.ShouldNotContain(frame => frame.Stream == forwarded.Id && frame.EndsStream);
        runtime.Send(Frame.WindowUpdate(0, 200_000), Frame.WindowUpdate(forwarded.Id, 100_000));
        (await forwarded.ReadAnswerAsync()).Single.Length.ShouldBe(30_000);
    }

    [Fact]
    public async Task Request_trailers_stay_behind_the_data_that_waits()
    {
        var (caller, runtime) = await Begin(new() { Encoder = RawOptions.Indexing }, s_byHand);
        await OweTheRuntime(caller, runtime);
        var forwarded = caller.Start("/test.Fake/Unary");
        await forwarded.SendMessageAsync(new byte[30_000]);
        forwarded.SendHeaders([("last", "words")], end: true);
        Runtime.On("/test/Next", _ => Task.CompletedTask);
        caller.Start("/test/Next", ("last", "words")); // its block may refer to that of the trailers
        await Wait.Until(() => Runtime.CallsOf("Next").Any(), "the next call is there");
        Runtime.CallsOf("Next").Single().Find("last").ShouldBe("words");
        runtime.Received.ShouldNotContain(frame => frame.Stream == forwarded.Id && frame.EndsStream);
        runtime.Send(Frame.WindowUpdate(0, 200_000), Frame.WindowUpdate(forwarded.Id, 100_000));
        (await forwarded.ReadAnswerAsync()).Single.Length.ShouldBe(30_000);
    }

    // 60,000 octets of an edited body, most of which the caller was credited before they went on: it may send more than the runtime takes.
    private async Task OweTheRuntime(RawCaller caller, RawConnection runtime)
    {
        Runtime.On("/edit/Forward", _ => Task.CompletedTask);
        var ours = caller.Start("/edit/Forward");
        await ours.SendDataAsync(new byte[40_000], end: false);
        await caller.Connection.PingAsync();
        await ours.SendDataAsync(new byte[20_000], end: true);
        await Wait.Until(() => Received(runtime, ours.Id) == 60_000, "the edited body is there");
    }

    [Fact]
    public async Task A_changed_initial_window_changes_streams_of_ours_by_the_difference()
    {
        var (caller, _) = await Begin(s_byHand);
        caller.Connection.Send(Frame.WindowUpdate(0, 10_000_000));
        var stream = await CallByHand(caller, "/edit/Answer", 300_000);
        await Reaches(stream, Window);
        caller.Connection.Send(Frame.SettingsOf((Http2Setting.InitialWindowSize, 1_000))); // 64,535 below zero
        stream.GiveCredit(64_535);
        await Reaches(stream, Window);
        stream.GiveCredit(10);
        await Reaches(stream, Window + 10);
        caller.Connection.Send(Frame.SettingsOf((Http2Setting.InitialWindowSize, 5_000)));
        await Reaches(stream, Window + 4_010);
        caller.Connection.Send(Frame.SettingsOf((Http2Setting.InitialWindowSize, 1_000_000)));
        (await stream.ReadAnswerAsync()).Single.Length.ShouldBe(300_000);
    }

    [Fact]
    public async Task A_changed_initial_window_of_the_runtime_changes_what_it_is_sent()
    {
        var (caller, runtime) = await Begin(runtime: s_byHand);
        runtime.Send(Frame.WindowUpdate(0, 10_000_000));
        var stream = caller.Start("/edit/Forward");
        await stream.SendMessageAsync(new byte[300_000], end: true);
        await Wait.Until(() => Runtime.CallsOf("Forward").Any(), "the call is there");
        var received = runtime.Streams[0];
        received.Credit = false;
        await Wait.Until(() => Received(runtime, 1) >= Window, "the window is used");
        runtime.Send(Frame.SettingsOf((Http2Setting.InitialWindowSize, 0)), Frame.SettingsOf((Http2Setting.InitialWindowSize, 1_000_000)));
        (await stream.ReadAnswerAsync()).Single.Length.ShouldBe(300_000);
    }

    [Fact]
    public async Task Stream_updates_are_not_passed_on_once_the_stream_is_ours()
    {
        var (caller, runtime) = await Begin();
        var release = new TaskCompletionSource();
        Edits.Answer = async (edit, _) =>
        {
            await release.Task;
            return FakeEdits.Ok(edit.Body.ToArray());
        };
        var stream = await CallByHand(caller, "/edit/Answer", 100);
        await Wait.Until(() => Edits.Calls.Count == 1, "the call is there");
        await Edits.Calls[0].Answering;
        stream.GiveCredit(12_345);
        await caller.Connection.PingAsync();
        release.SetResult();
        await stream.ReadAnswerAsync();
        stream.GiveCredit(12_345);
        await caller.Connection.PingAsync();
        runtime.Received.ShouldNotContain(frame => frame.Type == FrameType.WindowUpdate && frame.Stream == stream.Id);
    }

    [Theory]
    [MemberData(nameof(Edited))]
    public async Task Bodies_far_larger_than_every_window_get_through(string path)
    {
        // grpc-go gives its credit back when it owes a quarter of the window, others wait for a half of it.
        var lazy = new RawOptions { CreditFrom = Window / 2 };
        var (caller, _) = await Begin(lazy, lazy);
        var message = RandomNumberGenerator.GetBytes(1_000_000);
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => caller.CallAsync(path, message)));
        var expected = path is "/edit/Forward" or "/edit/Watch" ? FakeEdits.Reverse(message) : message;
        answers.ShouldAllBe(answer => answer.Single.SequenceEqual(expected));
        (await caller.CallAsync("/test.Fake/Unary", message)).Single.ShouldBe(message);
    }

    [Theory]
    [MemberData(nameof(Edited))]
    public async Task Windows_that_begin_at_zero_are_opened_by_updates_alone(string path)
    {
        var closed = new RawOptions { Settings = [(Http2Setting.InitialWindowSize, 0)] };
        var (caller, runtime) = await Begin(closed, closed);
        await caller.Connection.PingAsync(); // the caller has seen the runtime's SETTINGS
        var stream = caller.Start(path);
        stream.GiveCredit(2_000);
        await Wait.Until(() => runtime.Streams.Count == 1, "the call is there");
        runtime.Streams[0].GiveCredit(1_500);
        var message = new byte[40_000];
        await stream.SendMessageAsync(message, end: true);
        (await stream.ReadAnswerAsync()).Single.Length.ShouldBe(message.Length);
    }

    [Theory]
    [MemberData(nameof(Edited))]
    public async Task Windows_of_a_hundred_octets_do_for_everything(string path)
    {
        var small = new RawOptions { Settings = [(Http2Setting.InitialWindowSize, 100)] };
        var (caller, _) = await Begin(small, small);
        (await caller.CallAsync(path, new byte[5_000])).Single.Length.ShouldBe(5_000);
    }


    private static async Task<RawStream> CallByHand(RawCaller caller, string path, int size)
    {
        var stream = caller.Start(path);
        stream.Credit = false;
        await stream.SendMessageAsync(new byte[size], end: true);
        return stream;
    }

    /// <summary>Exactly so many octets come, and no more.</summary>
    private static async Task Reaches(RawStream stream, long octets)
    {
        await Wait.Until(() => stream.BytesReceived >= octets, $"{octets} octets on stream {stream.Id}, {stream.BytesReceived} now");
        await Wait.AWhile();
        stream.BytesReceived.ShouldBe(octets);
    }

    private static long Received(RawConnection connection, int stream) =>
        connection.Received.Where(frame => frame.Type == FrameType.Data && frame.Stream == stream).Sum(frame => (long)frame.Body.Length);

    private static long ConnectionCredit(RawConnection runtime) =>
        runtime.Received.Where(frame => frame is { Type: FrameType.WindowUpdate, Stream: 0 }).Sum(frame => frame.Number);
}
