using System.Net.Sockets;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Relay;

/// <summary>Rule 10: connections are capped, and whoever breaks the protocol loses his own.</summary>
public sealed class Connections : RelayTest
{
    private const int Cap = 256;

    [Fact]
    public async Task Beyond_the_cap_are_answered_that_it_is_reached()
    {
        Expect("256 connections are open");
        StartRuntime();
        StartRelay();
        var callers = new List<RawCaller>();
        for (var i = 0; i < Cap; i++)
            callers.Add(await Connect());
        await Wait.Until(() => Listener.Connections == Cap, "all are there");

        var refused = await (await Connect()).CallAsync("/test.Fake/Unary", [1]);
        refused.Status.ShouldBe(8);
        refused.Message.ShouldContain("256 connections");
        (await callers[^1].CallAsync("/test.Fake/Unary", [1])).Status.ShouldBe(0);

        var behind = await Runtime.ConnectionOfAsync(callers[0]); // not the first that came: callers are accepted at the same time
        await callers[0].DisposeAsync();
        await behind.DisposeAsync();
        await Wait.Until(() => Listener.Connections < Cap, "one has gone");
        (await (await Connect()).CallAsync("/test.Fake/Unary", [1])).Status.ShouldBe(0);
    }

    public static TheoryData<string> Violations =>
    [
        "GET / HTTP/1.1", "no SETTINGS first", "CONTINUATION without HEADERS", "HEADERS interrupted", "HEADERS of another stream",
        "padding beyond the end", "a frame above 256 KiB", "a WINDOW_UPDATE of 3 octets", "SETTINGS of 5 octets", "a block that is no HPACK",
        "an index that is in no table", "a push by the caller", "headers within an edited request",
    ];

    [Theory]
    [MemberData(nameof(Violations))]
    public async Task That_break_the_protocol_end_and_the_others_never_notice(string violation)
    {
        Expect("A connection was closed because its peer broke the protocol");
        StartRuntime();
        StartRelay();
        var live = await Connect();
        var bidi = live.Start("/test.Fake/Bidi");
        await bidi.SendMessageAsync([1]);

        var bad = await Connect(new() { SendSettings = false });
        bad.Connection.SendBytes(Break(violation, Hpack.Encode(bad.RequestHeaders("/edit/Answer"))));
        await Wait.For(bad.Connection.Closed);

        await bidi.SendMessageAsync([2], end: true);
        (await bidi.ReadAnswerAsync()).Messages.Select(message => message.Content.Single()).ShouldBe([(byte)1, (byte)2]);
        Log.Complaints.Count().ShouldBe(1);
    }

    private static byte[] Break(string violation, byte[] block)
    {
        if (violation == "GET / HTTP/1.1")
            return "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray();
        Frame[] frames = violation switch
        {
            "no SETTINGS first" => [Frame.Ping(1)],
            "CONTINUATION without HEADERS" => [Frame.SettingsOf(), Frame.Continuation(1, block)],
            "HEADERS interrupted" => [Frame.SettingsOf(), Frame.Headers(1, block, endHeaders: false), Frame.Ping(1)],
            "HEADERS of another stream" => [Frame.SettingsOf(), Frame.Headers(1, block, endHeaders: false), Frame.Continuation(3, [])],
            "padding beyond the end" => [Frame.SettingsOf(), Frame.Headers(1, block), new Frame(FrameType.Data, FrameFlags.Padded, 1, [9, 0])],
            "a frame above 256 KiB" => [Frame.SettingsOf(), new Frame(FrameType.Data, 0, 1, new byte[300_000])],
            "a WINDOW_UPDATE of 3 octets" => [Frame.SettingsOf(), new Frame(FrameType.WindowUpdate, 0, 0, new byte[3])],
            "SETTINGS of 5 octets" => [Frame.SettingsOf(), new Frame(FrameType.Settings, 0, 0, new byte[5])],
            "a block that is no HPACK" => [Frame.SettingsOf(), Frame.Headers(1, [0x40, 0xff])],
            "an index that is in no table" => [Frame.SettingsOf(), Frame.Headers(1, [0xff, 0x70])],
            "a push by the caller" => [Frame.SettingsOf(), new Frame(FrameType.PushPromise, FrameFlags.EndHeaders, 1, new byte[4])],
            "headers within an edited request" => [Frame.SettingsOf(), Frame.Headers(1, block), Frame.Headers(1, block)],
            _ => throw new ArgumentOutOfRangeException(nameof(violation)),
        };
        return [.. RawConnection.Preface, .. frames.SelectMany(frame => frame.ToBytes())];
    }

    [Fact]
    public async Task Are_told_why_by_a_GOAWAY()
    {
        Expect("A connection was closed because its peer broke the protocol");
        var (caller, _) = await Begin();
        (await caller.CallAsync("/test.Fake/Unary", [1])).Status.ShouldBe(0);
        caller.Connection.Send(Frame.Continuation(5, []));
        var goAway = await caller.Connection.WaitForFrame(FrameType.GoAway);
        goAway.Number.ShouldBe(1u); // the call that was passed on: to repeat what a runtime has seen is not for a caller (RFC 9113 section 6.8)
        goAway.Payload[7].ShouldBe((byte)Http2Error.ProtocolError);
        System.Text.Encoding.UTF8.GetString(goAway.Payload.AsSpan(8)).ShouldBe("image-cri-shim: a CONTINUATION frame follows no HEADERS frame");
    }

    [Theory]
    [InlineData(0, 0u)] // nothing was passed on
    [InlineData(1, 1u)]
    [InlineData(3, 5u)]
    public async Task That_break_the_protocol_are_told_the_last_call_that_the_runtime_may_have_seen(int calls, uint last)
    {
        Expect("A connection was closed because its peer broke the protocol");
        var (caller, _) = await Begin();
        for (var call = 0; call < calls; call++)
        {
            var open = caller.Start("/test.Fake/Bidi");
            await open.SendMessageAsync([1]);
            (await open.ReadMessageAsync())!.Content.ShouldBe([1]);
        }

        caller.Connection.Send(new Frame(FrameType.WindowUpdate, 0, 0, new byte[3]));
        (await caller.Connection.WaitForFrame(FrameType.GoAway)).Number.ShouldBe(last);
    }

    [Fact]
    public async Task That_end_cancel_the_callers_work()
    {
        var (caller, runtime) = await Begin();
        Edits.Answer = async (_, cancellation) =>
        {
            await Task.Delay(Timeout.Infinite, cancellation);
            return null;
        };
        var edited = caller.Start("/edit/Answer");
        await edited.SendMessageAsync(new byte[1000], end: true);
        await caller.Start("/edit/Watch").SendDataAsync(new byte[1000]);
        await Wait.Until(() => Edits.Calls.Count == 2, "the calls are there");
        var cancelled = await Edits.Calls[0].Answering;
        caller.Connection.Abort();
        await Wait.Until(() => cancelled.IsCancellationRequested, "the work is told");
        await Wait.For(runtime.Closed);
    }

    [Fact]
    public async Task That_the_runtime_ends_end_for_the_caller_too()
    {
        var (caller, runtime) = await Begin();
        var call = caller.Start("/test.Fake/Bidi");
        await call.SendMessageAsync([1]);
        (await call.ReadMessageAsync())!.Content.ShouldBe([1]);
        runtime.Abort();
        await Wait.For(caller.Connection.Closed);
    }

    [Fact]
    public async Task May_be_told_to_go_away_by_the_runtime_and_finish_their_calls()
    {
        var (caller, runtime) = await Begin();
        var bidi = caller.Start("/test.Fake/Bidi");
        var edited = caller.Start("/edit/Answer");
        await bidi.SendMessageAsync([1]);
        (await bidi.ReadMessageAsync())!.Content.ShouldBe([1]);
        var goAway = Frame.GoAway(3, Http2Error.NoError, "graceful_stop");
        runtime.Send(goAway);
        await caller.Connection.WaitForFrame(frame => frame.SameAs(goAway));
        await bidi.SendMessageAsync([2], end: true);
        (await bidi.ReadMessageAsync())!.Content.ShouldBe([2]);
        await edited.SendMessageAsync([3], end: true);
        (await edited.ReadAnswerAsync()).Single.ShouldBe([3]);
    }

    [Fact]
    public async Task May_be_told_to_go_away_by_the_caller_and_finish_their_calls()
    {
        var (caller, runtime) = await Begin();
        var edited = caller.Start("/edit/Refuse");
        var goAway = Frame.GoAway(0, Http2Error.NoError, "bye");
        caller.Connection.Send(goAway);
        await runtime.WaitForFrame(frame => frame.SameAs(goAway));
        await edited.SendMessageAsync([3], end: true);
        (await edited.ReadAnswerAsync()).Single.ShouldBe([3]);
    }

    [Fact]
    public async Task Half_closed_by_the_caller_still_bring_the_answers_of_forwarded_calls()
    {
        var (caller, _) = await Begin();
        await caller.Connection.PingAsync(); // both ends are reading
        var stream = caller.Start("/test.Fake/Unary");
        await stream.SendMessageAsync([1], end: true);
        caller.Connection.CloseWriting();
        (await stream.ReadAnswerAsync()).Single.ShouldBe([1]);
    }

    /// <summary>
    /// grpc-go and C core send a PING after DATA to measure the bandwidth, and a grpc-go runtime ends a connection on which PINGs
    /// come although it said nothing (too_many_pings). It knows nothing of what we said.
    /// </summary>
    [Fact]
    public async Task Are_not_ended_by_the_runtime_for_PINGs_that_answers_of_ours_provoked()
    {
        var (caller, runtime) = await Begin();
        for (ulong i = 1; i <= 5; i++)
        {
            (await caller.CallAsync("/edit/Answer", [1])).Status.ShouldBe(0);
            await caller.Connection.PingAsync(i);
        }

        runtime.Received.ShouldNotContain(frame => frame.Type == FrameType.Ping);
        (await caller.CallAsync("/test.Fake/Unary", [1])).Status.ShouldBe(0);
        await caller.Connection.PingAsync(6);
        runtime.Received.Count(frame => frame.Type == FrameType.Ping).ShouldBe(1); // keepalive is the runtime's
        await caller.Connection.PingAsync(7);
        runtime.Received.Count(frame => frame.Type == FrameType.Ping).ShouldBe(2);
    }
}
