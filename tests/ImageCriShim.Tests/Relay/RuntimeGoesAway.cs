using ImageCriShim.Relay;
using ImageCriShim.Tests.Fakes;
using Frame = ImageCriShim.Tests.Fakes.Frame;
using FrameFlags = ImageCriShim.Tests.Fakes.FrameFlags;
using FrameType = ImageCriShim.Tests.Fakes.FrameType;

namespace ImageCriShim.Tests.Relay;

/// <summary>A runtime that closes a connection sees no stream of the calls that the shim answers; they end well all the same.</summary>
public sealed class RuntimeGoesAway : RelayTest
{
    private const int Any = int.MaxValue;
    private const int Unavailable = 14;

    private readonly TaskCompletionSource _pulled = new();

    public static TheoryData<string> Endings =>
    [
        "GOAWAY twice", "GOAWAY with a higher number alone", "too_many_pings", "INTERNAL_ERROR", "no GOAWAY", "unread frames", "half-closed",
    ];

    public RuntimeGoesAway() => Edits.Answer = async (edit, cancellation) =>
    {
        await _pulled.Task.WaitAsync(cancellation);
        return FakeEdits.Ok(edit.Body.ToArray());
    };

    [Theory]
    [MemberData(nameof(Endings))]
    public async Task Answers_of_ours_still_come_and_then_the_connection_ends(string ending)
    {
        var (caller, runtime) = await Begin();
        var pulls = new[] { await Pull(caller, 1), await Pull(caller, 2), await Pull(caller, 3) };
        await runtime.WaitForFrame(frame => frame.Stream == pulls[^1].Id);
        await Go(caller, runtime, pulls[^1].Id, ending);
        await caller.Connection.WaitForFrame(frame => LastStream(frame) is not null); // it opens no more calls here
        await caller.Connection.PingAsync();
        await Wait.AWhile();
        caller.Connection.Closed.IsCompleted.ShouldBeFalse();
        caller.Connection.Received.ShouldNotContain(frame => frame.Type == FrameType.RstStream);

        _pulled.SetResult();

        for (byte i = 0; i < pulls.Length; i++)
            (await pulls[i].ReadAnswerAsync()).Single.ShouldBe([(byte)(i + 1)]);
        await Wait.For(caller.Connection.Closed);
        GoAways(caller).OrderDescending().ShouldBe(GoAways(caller)); // a later one never names more calls (RFC 9113 section 6.8)
        GoAways(caller)[^1].ShouldBe(pulls[^1].Id);
    }

    [Fact]
    public async Task Calls_that_the_runtime_had_are_UNAVAILABLE_at_once_and_those_that_we_answer_go_on()
    {
        var (caller, runtime) = await Begin();
        Runtime.On("/test/Begun", async call =>
        {
            await call.SendAsync([1]);
            await Task.Delay(Timeout.Infinite, call.Cancelled);
        });
        var pull = await Pull(caller, 1);
        var silent = await Start(caller, runtime, "/test/Silent");
        var begun = await Start(caller, runtime, "/test/Begun");
        (await begun.ReadMessageAsync())!.Content.ShouldBe([1]);
        var watched = await Start(caller, runtime, "/edit/Silent");
        var each = await Start(caller, runtime, "/edit/EachSilent");
        var collected = caller.Start("/edit/Watch");
        await Wait.Until(() => runtime.Received.Any(frame => frame.Stream == collected.Id), "the runtime has its headers");

        runtime.Abort();

        foreach (var call in (RawStream[])[silent, begun, watched, each])
        {
            var answer = await call.ReadAnswerAsync();
            answer.Status.ShouldBe(Unavailable);
            answer.Message.ShouldBe("image-cri-shim: the container runtime closed the connection before it answered");
        }

        (await begun.Trailers).ShouldNotContain(field => field.Name.StartsWith(':'), "its headers have come before");
        (await collected.Reset).ShouldBe(Http2Error.RefusedStream); // the runtime has not seen the request
        _pulled.SetResult();
        (await pull.ReadAnswerAsync()).Single.ShouldBe([1]);
        await Wait.For(caller.Connection.Closed);
    }

    [Theory]
    [InlineData("/test.Fake/Unary")]
    [InlineData("/edit/Answer")]
    [InlineData("/edit/Watch")]
    public async Task A_call_behind_the_last_one_that_the_runtime_takes_is_refused_so_that_it_is_made_again(string path)
    {
        var (caller, runtime) = await Begin(new RawOptions { Encoder = RawOptions.Indexing });
        var pull = await Pull(caller, 1);
        runtime.Send(Frame.GoAway(pull.Id, Http2Error.NoError));
        await caller.Connection.WaitForFrame(frame => LastStream(frame) == pull.Id);

        var late = caller.Start(path, new Header("kept-in-the-table", "of the caller"));
        await late.SendDataAsync(new byte[100]);

        (await late.Reset).ShouldBe(Http2Error.RefusedStream);
        runtime.Received.ShouldNotContain(frame => frame.Stream == late.Id);
        runtime.Abort();
        var later = caller.Start(path, new Header("kept-in-the-table", "of the caller"));
        (await later.Reset).ShouldBe(Http2Error.RefusedStream);
        _pulled.SetResult();
        (await pull.ReadAnswerAsync()).Single.ShouldBe([1]);
    }

    [Theory]
    [InlineData("/test.Fake/Hang")]
    [InlineData("/edit/Answer")]
    [InlineData("/edit/Watch")]
    public async Task A_call_that_the_runtime_says_it_has_not_taken_is_refused_so_that_it_is_made_again(string path)
    {
        var (caller, runtime) = await Begin();
        var pull = await Pull(caller, 1);
        var late = caller.Start(path);
        await late.SendDataAsync(GrpcMessage.Encode([9]), end: path == "/edit/Answer");
        await caller.Connection.PingAsync();
        var cancelled = path == "/edit/Answer" ? await Edits.Calls[1].Answering : default;

        runtime.Send(Frame.GoAway(Any, Http2Error.NoError), Frame.GoAway(pull.Id, Http2Error.NoError));

        (await late.Reset).ShouldBe(Http2Error.RefusedStream);
        if (path == "/edit/Answer")
            await Wait.Until(() => cancelled.IsCancellationRequested, "nobody works on it any more");
        _pulled.SetResult();
        (await pull.ReadAnswerAsync()).Single.ShouldBe([1]);
    }

    [Theory]
    [InlineData("/edit/Replace")]
    [InlineData("/edit/Each")]
    [InlineData("/edit/Refuse")]
    public async Task An_edited_answer_that_waits_for_the_callers_windows_comes_whole(string path)
    {
        _pulled.SetResult();
        var (caller, runtime) = await Begin(new RawOptions { Credit = false });
        var listing = caller.Start(path);
        listing.Credit = false;
        await listing.SendMessageAsync(new byte[200_000], end: true);
        await Wait.Until(() => listing.BytesReceived == 65_535, "its windows are full");
        await Wait.AWhile();

        runtime.Abort();

        await Wait.AWhile();
        listing.GiveCredit(1_000_000);
        caller.Connection.Send(Frame.WindowUpdate(0, 1_000_000));
        (await listing.ReadAnswerAsync()).Single.Length.ShouldBe(200_000);
        await Wait.For(caller.Connection.Closed);
    }

    [Fact]
    public async Task A_forwarded_answer_that_waits_behind_ours_comes_whole()
    {
        _pulled.SetResult();
        var (caller, runtime) = await Begin(new RawOptions { Credit = false });
        (await (await Pull(caller, new byte[60_000 - GrpcMessage.PrefixLength])).ReadAnswerAsync()).Status.ShouldBe(0);
        var forwarded = caller.Start("/test.Fake/Unary");
        await forwarded.SendMessageAsync(new byte[50_000], end: true);
        await Wait.Until(() => forwarded.BytesReceived == 5535, "the window is full");
        await Wait.AWhile();

        runtime.Abort();

        await Wait.AWhile();
        caller.Connection.Send(Frame.WindowUpdate(0, 100_000));
        (await forwarded.ReadAnswerAsync()).Single.Length.ShouldBe(50_000);
        await Wait.For(caller.Connection.Closed);
    }

    [Fact]
    public async Task PINGs_are_answered_here_while_the_runtime_sees_no_stream_of_a_call_that_we_answer()
    {
        var (caller, runtime) = await Begin();
        await caller.Connection.PingAsync(1); // no call at all: the runtime's, who may be hung
        var pull = await Pull(caller, 1);
        for (ulong ping = 2; ping < 5; ping++)
            await caller.Connection.PingAsync(ping);
        Pings(runtime).ShouldBe([1]);

        var bidi = caller.Start("/test.Fake/Bidi");
        await bidi.SendMessageAsync([1]);
        await bidi.ReadMessageAsync();
        await caller.Connection.PingAsync(5); // it sees one now
        Pings(runtime).ShouldBe([1, 5]);

        bidi.HalfClose();
        await bidi.Trailers;
        await caller.Connection.PingAsync(6);
        _pulled.SetResult();
        await pull.ReadAnswerAsync();
        await caller.Connection.PingAsync(7); // behind our DATA
        Pings(runtime).ShouldBe([1, 5]);
        await caller.Connection.PingAsync(8);
        Pings(runtime).ShouldBe([1, 5, 8]);
    }

    [Fact]
    public async Task What_a_caller_still_says_to_a_runtime_that_is_gone_is_answered_here()
    {
        var (caller, runtime) = await Begin();
        var bidi = caller.Start("/test.Fake/Bidi");
        await bidi.SendMessageAsync([1]);
        await bidi.ReadMessageAsync();
        var pull = await Pull(caller, 1);
        runtime.Abort();
        (await bidi.ReadAnswerAsync()).Status.ShouldBe(Unavailable);
        var acknowledged = caller.Connection.Received.Count(frame => frame.SameAs(Frame.SettingsAck));

        caller.Connection.Send(Frame.SettingsOf((Http2Setting.InitialWindowSize, 100_000)), Frame.Data(bidi.Id, new byte[100]),
            Frame.WindowUpdate(0, 1000), Frame.WindowUpdate(bidi.Id, 1000), Frame.RstStream(bidi.Id, Http2Error.Cancel), Frame.Ping(99));

        await caller.Connection.WaitForFrame(frame => frame.SameAs(Frame.Ping(99, ack: true)));
        caller.Connection.Received.Count(frame => frame.SameAs(Frame.SettingsAck)).ShouldBe(acknowledged + 1);
        _pulled.SetResult();
        (await pull.ReadAnswerAsync()).Single.ShouldBe([1]);
    }

    [Fact]
    public async Task A_PING_that_the_runtime_has_not_answered_when_it_goes_is_answered_here()
    {
        var (caller, runtime) = await Begin(runtime: new RawOptions { AnswerPings = false });
        await Start(caller, runtime, "/test/Silent"); // so that PINGs are the runtime's
        var pull = await Pull(caller, 1);
        caller.Connection.Send(Frame.Ping(41), Frame.Ping(42), Frame.Ping(43));
        await runtime.WaitForFrame(frame => frame.SameAs(Frame.Ping(43)));
        runtime.Send(Frame.Ping(41, ack: true));
        await caller.Connection.WaitForFrame(frame => frame.SameAs(Frame.Ping(41, ack: true)));

        runtime.Abort();

        await caller.Connection.WaitForFrame(frame => frame.SameAs(Frame.Ping(43, ack: true)));
        caller.Connection.Received.Count(frame => frame.Type == FrameType.Ping && frame.Has(FrameFlags.Ack)).ShouldBe(3);
        _pulled.SetResult();
        (await pull.ReadAnswerAsync()).Single.ShouldBe([1]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_runtime_that_goes_before_it_has_sent_SETTINGS_costs_no_answer_of_ours(bool hasWaited)
    {
        if (!hasWaited)
            StartRuntime(new RawOptions { SendSettings = false });
        StartRelay();
        var caller = await Connect();
        if (hasWaited)
        {
            await caller.Connection.WaitForFrame(FrameType.Settings);
            StartRuntime(new RawOptions { SendSettings = false });
        }

        var pull = await Pull(caller, 1);
        (await Runtime.ConnectionAsync()).Abort();
        _pulled.SetResult();

        (await pull.ReadAnswerAsync()).Single.ShouldBe([1]);
        caller.Connection.Received[0].Type.ShouldBe(FrameType.Settings);
    }

    [Fact]
    public async Task A_caller_that_gives_up_the_last_call_that_we_answer_is_waited_for_no_longer()
    {
        var (caller, runtime) = await Begin();
        var pull = await Pull(caller, 1);
        runtime.Abort();
        await caller.Connection.WaitForFrame(FrameType.GoAway);
        pull.Cancel();
        await Wait.For(caller.Connection.Closed);
    }

    /// <summary>A call that we answer when we are told to.</summary>
    private async Task<RawStream> Pull(RawCaller caller, params byte[] message)
    {
        var before = Edits.Calls.Count;
        var pull = caller.Start("/edit/Answer");
        await pull.SendMessageAsync(message, end: true);
        await Wait.Until(() => Edits.Calls.Count > before, "it is taken over");
        await Edits.Calls[before].Answering;
        return pull;
    }

    /// <summary>A call whose request the runtime has.</summary>
    private static async Task<RawStream> Start(RawCaller caller, RawConnection runtime, string path)
    {
        var call = caller.Start(path);
        await call.SendMessageAsync([1], end: true);
        await runtime.WaitForFrame(frame => frame.Stream == call.Id && frame.Type is FrameType.Data);
        return call;
    }

    /// <param name="last">The newest call.</param>
    private static async Task Go(RawCaller caller, RawConnection runtime, int last, string ending)
    {
        switch (ending)
        {
            case "GOAWAY twice": // as grpc-go does it
                runtime.Send(Frame.GoAway(Any, Http2Error.NoError, "max_age"));
                await runtime.PingAsync(0x0106_0108_0003_0309);
                await runtime.SendBytesAsync(Frame.GoAway(last, Http2Error.NoError, "max_age").ToBytes());
                break;
            case "GOAWAY with a higher number alone":
                await runtime.SendBytesAsync(Frame.GoAway(Any, Http2Error.NoError).ToBytes());
                break;
            case "too_many_pings":
                await runtime.SendBytesAsync(Frame.GoAway(last, Http2Error.EnhanceYourCalm, "too_many_pings").ToBytes());
                break;
            case "INTERNAL_ERROR":
                await runtime.SendBytesAsync(Frame.GoAway(last, Http2Error.InternalError).ToBytes());
                break;
        }

        if (ending == "half-closed")
            runtime.CloseWriting();
        else
            runtime.Abort();
        if (ending == "unread frames")
            caller.Connection.Send(Frame.WindowUpdate(0, 1), Frame.WindowUpdate(0, 1));
    }

    private static IEnumerable<ulong> Pings(RawConnection runtime) =>
        runtime.Received.Where(frame => frame.Type == FrameType.Ping && !frame.Has(FrameFlags.Ack))
            .Select(frame => System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(frame.Payload));

    private static int? LastStream(Frame frame) => frame.Type is FrameType.GoAway ? (int)frame.Number : null;

    private static int[] GoAways(RawCaller caller) => [.. caller.Connection.Received.Select(LastStream).OfType<int>()];
}
