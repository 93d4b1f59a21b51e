using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.EndToEnd.Transparency;

/// <summary>Both ends of one connection, for a script that says which frames each of them sends.</summary>
internal sealed record Ends(RawCaller Caller, RawConnection Runtime)
{
    public RawConnection At => Caller.Connection;

    /// <summary>A call to a method that answers nothing by itself, and its stream at the runtime when it has arrived.</summary>
    public async Task<(RawStream Caller, RawStream Runtime)> BeginAsync(bool end = false)
    {
        var stream = At.Open();
        stream.SendHeaders(Caller.RequestHeaders(Exchanges.Path), end);
        return (stream, await ArrivalAsync(stream.Id));
    }

    public async Task<RawStream> ArrivalAsync(int id)
    {
        await Runtime.WaitForFrame(frame =>
            frame.Stream == id && frame.Type is FrameType.Headers or FrameType.Continuation && frame.Has(FrameFlags.EndHeaders));
        return Runtime.Streams.Single(stream => stream.Id == id);
    }

    public byte[] Request(string path = Exchanges.Path) => At.Encode(Caller.RequestHeaders(path));

    /// <summary>Everything that either side has sent until now has arrived when both pings are answered.</summary>
    public async Task SettleAsync()
    {
        await At.PingAsync();
        await Runtime.PingAsync();
    }
}

/// <summary>Scripts of frames that are legal and rare: what is in RFC 9113 and in no ordinary caller.</summary>
internal static class Exchanges
{
    private static readonly Header[] Answer = [(":status", "200"), ("content-type", "application/grpc")];
    private static readonly Header[] Ok = [("grpc-status", "0")];
    private static readonly byte[] Message = GrpcMessage.Encode("some content"u8);

    /// <summary>A method that the runtime does not answer by itself.</summary>
    public const string Path = "/raw.Frames/Any";

    public static readonly Dictionary<string, Func<Ends, Task>> All = new()
    {
        ["padded frames both ways"] = async ends =>
        {
            var block = ends.Request();
            ends.At.Open();
            ends.At.Send(Frame.Headers(1, block, padding: 17), Frame.Data(1, Message, padding: 255), Frame.Data(1, Message, padding: 0),
                Frame.Data(1, [], end: true, padding: 3));
            await ends.ArrivalAsync(1);
            ends.Runtime.Send(Frame.Headers(1, Hpack.Encode(Answer), padding: 9), Frame.Data(1, Message, padding: 100),
                Frame.Headers(1, Hpack.Encode(Ok), end: true, padding: 1));
        },
        ["priorities in HEADERS and in PRIORITY, of streams open, idle and closed"] = async ends =>
        {
            ends.At.Open();
            ends.At.Send(Frame.Priority(99, new(0)),
                Frame.Headers(1, ends.Request(), priority: new(0, Exclusive: true, Weight: 200), padding: 5),
                Frame.Priority(1, new(99, Weight: 1)), Frame.Data(1, Message, end: true));
            await ends.ArrivalAsync(1);
            ends.Runtime.Send(Frame.Headers(1, Hpack.Encode(Answer), priority: new(0)), Frame.Headers(1, Hpack.Encode(Ok), end: true));
            await ends.At.WaitForFrame(frame => frame.Stream == 1 && frame.EndsStream);
            ends.At.Send(Frame.Priority(1, new(0)));
        },
        ["header blocks in many CONTINUATION frames, empty ones too"] = async ends =>
        {
            ends.At.Open();
            var pieces = ends.Request().Chunk(3).ToArray();
            ends.At.Send(Frame.Headers(1, [], end: true, endHeaders: false), Frame.Continuation(1, [], endHeaders: false));
            foreach (var piece in pieces) ends.At.Send(Frame.Continuation(1, piece, endHeaders: false));
            ends.At.Send(Frame.Continuation(1, []));
            await ends.ArrivalAsync(1);
            foreach (var frame in Frame.HeaderBlock(1, Hpack.Encode(Answer), maxFrameSize: 4)) ends.Runtime.Send(frame);
            foreach (var frame in Frame.HeaderBlock(1, Hpack.Encode(Ok), end: true, maxFrameSize: 1)) ends.Runtime.Send(frame);
        },
        ["empty DATA between messages and at the end"] = async ends =>
        {
            var (caller, runtime) = await ends.BeginAsync();
            ends.At.Send(Frame.Data(1, []), Frame.Data(1, Message), Frame.Data(1, []), Frame.Data(1, []), Frame.Data(1, [], end: true));
            runtime.SendHeaders(Answer);
            ends.Runtime.Send(Frame.Data(1, []), Frame.Data(1, Message), Frame.Data(1, []));
            runtime.SendHeaders(Ok, end: true);
            await caller.Trailers;
        },
        ["a message in DATA frames of one byte"] = async ends =>
        {
            var (caller, runtime) = await ends.BeginAsync();
            foreach (var octet in Message) ends.At.Send(Frame.Data(1, [octet]));
            caller.HalfClose();
            runtime.SendHeaders(Answer);
            foreach (var octet in Message) ends.Runtime.Send(Frame.Data(1, [octet]));
            runtime.SendHeaders(Ok, end: true);
            await caller.Trailers;
        },
        ["trailers from the caller"] = async ends =>
        {
            var (caller, runtime) = await ends.BeginAsync();
            await caller.SendDataAsync(Message);
            caller.SendHeaders([("caller-trailer", "1")], end: true);
            runtime.SendHeaders([.. Answer, .. Ok], end: true);
            await caller.Trailers;
        },
        ["a request without a body"] = async ends =>
        {
            var (caller, runtime) = await ends.BeginAsync(end: true);
            runtime.SendHeaders([.. Answer, .. Ok], end: true);
            await caller.Trailers;
        },
        ["informational answers before the answer"] = async ends =>
        {
            var (caller, runtime) = await ends.BeginAsync(end: true);
            runtime.SendHeaders([(":status", "103"), ("link", "</x>")]);
            runtime.SendHeaders(Answer);
            runtime.SendHeaders(Ok, end: true);
            await caller.Trailers;
        },
        ["an answer that DATA ends, without trailers"] = async ends =>
        {
            var (caller, runtime) = await ends.BeginAsync(end: true);
            runtime.SendHeaders(Answer);
            await runtime.SendDataAsync(Message, end: true);
            await caller.Trailers;
        },
        ["the caller resets: after HEADERS, after DATA, after its end, after the answer began"] = async ends =>
        {
            var (first, _) = await ends.BeginAsync();
            first.Cancel();
            var (second, _) = await ends.BeginAsync();
            await second.SendDataAsync(Message);
            second.Cancel(Http2Error.NoError);
            var (third, _) = await ends.BeginAsync(end: true);
            third.Cancel(Http2Error.InternalError);
            var (fourth, answering) = await ends.BeginAsync(end: true);
            answering.SendHeaders(Answer);
            await fourth.Headers;
            fourth.Cancel();
        },
        ["the runtime resets: before headers, after headers, after data, after an early end"] = async ends =>
        {
            var (first, firstAnswer) = await ends.BeginAsync();
            firstAnswer.Cancel(Http2Error.RefusedStream);
            await first.Reset;
            var (second, secondAnswer) = await ends.BeginAsync();
            secondAnswer.SendHeaders(Answer);
            secondAnswer.Cancel(Http2Error.InternalError);
            await second.Reset;
            var (third, thirdAnswer) = await ends.BeginAsync(end: true);
            thirdAnswer.SendHeaders(Answer);
            await thirdAnswer.SendDataAsync(Message.AsMemory(0, 7));
            thirdAnswer.Cancel(Http2Error.EnhanceYourCalm);
            await third.Reset;
            var (fourth, fourthAnswer) = await ends.BeginAsync();
            fourthAnswer.SendHeaders([.. Answer, .. Ok], end: true);
            fourthAnswer.Cancel(Http2Error.NoError); // RFC 9113 section 8.1: the answer is whole, the rest of the request is not wanted
            await fourth.Reset;
        },
        ["both reset at once, and late frames of a closed stream"] = async ends =>
        {
            var (caller, runtime) = await ends.BeginAsync();
            caller.Cancel();
            runtime.Cancel();
            await Task.WhenAll(caller.Reset, runtime.Reset);
            ends.At.Send(Frame.WindowUpdate(1, 10), Frame.RstStream(1, Http2Error.Cancel));
            ends.Runtime.Send(Frame.WindowUpdate(1, 10), Frame.RstStream(1, Http2Error.Cancel));
        },
        ["windows of streams and of the connection"] = async ends =>
        {
            var (caller, runtime) = await ends.BeginAsync();
            ends.At.Send(Frame.WindowUpdate(1, 1), Frame.WindowUpdate(0, 7700), Frame.WindowUpdate(1, 1_000_000));
            ends.Runtime.Send(Frame.WindowUpdate(0, 5000), Frame.WindowUpdate(1, 6), Frame.WindowUpdate(0, int.MaxValue / 2));
            runtime.SendHeaders([.. Answer, .. Ok], end: true);
            await caller.Trailers;
        },
        ["settings changed in the middle, unknown ones among them"] = async ends =>
        {
            var (caller, runtime) = await ends.BeginAsync();
            ends.At.Send(Frame.SettingsOf((Http2Setting.InitialWindowSize, 100_000), ((Http2Setting)0x9999, 7),
                (Http2Setting.MaxConcurrentStreams, 3)));
            ends.Runtime.Send(Frame.SettingsOf((Http2Setting.InitialWindowSize, 10), (Http2Setting.MaxHeaderListSize, 12345)),
                Frame.SettingsOf());
            await ends.SettleAsync();
            var sending = caller.SendDataAsync(Message, end: true); // 10 bytes, and the rest when there is room
            ends.Runtime.Send(Frame.SettingsOf((Http2Setting.InitialWindowSize, 1_000_000)));
            await sending;
            runtime.SendHeaders([.. Answer, .. Ok], end: true);
            await caller.Trailers;
        },
        ["frames of unknown types, on a stream and on the connection"] = async ends =>
        {
            var (caller, runtime) = await ends.BeginAsync();
            ends.At.Send(new((FrameType)0xbb, (FrameFlags)0xff, 0, [1, 2, 3]), new((FrameType)0xbc, 0, 1, []));
            ends.Runtime.Send(new((FrameType)0xfe, 0, 1, [9]), new((FrameType)0x0c, (FrameFlags)0x20, 0, "origin"u8.ToArray()));
            runtime.SendHeaders([.. Answer, .. Ok], end: true);
            await caller.Trailers;
        },
        ["pings both ways with calls in flight"] = async ends =>
        {
            var (caller, runtime) = await ends.BeginAsync();
            for (ulong i = 1; i < 20; i++)
            {
                await ends.At.PingAsync(i << 40);
                await ends.Runtime.PingAsync(i << 41);
            }

            runtime.SendHeaders([.. Answer, .. Ok], end: true);
            await caller.Trailers;
        },
        ["a graceful GOAWAY from the runtime, and calls in flight that end well"] = async ends =>
        {
            var (caller, runtime) = await ends.BeginAsync();
            ends.Runtime.Send(Frame.GoAway(int.MaxValue, Http2Error.NoError, "graceful_stop"));
            await ends.At.WaitForFrame(FrameType.GoAway);
            await caller.SendDataAsync(Message, end: true);
            ends.Runtime.Send(Frame.GoAway(1, Http2Error.NoError));
            runtime.SendHeaders(Answer);
            await runtime.SendDataAsync(Message);
            runtime.SendHeaders(Ok, end: true);
            (await caller.ReadAnswerAsync()).Status.ShouldBe(0);
        },
        ["a GOAWAY from the caller, and calls in flight that end well"] = async ends =>
        {
            var (caller, runtime) = await ends.BeginAsync();
            ends.At.Send(Frame.GoAway(0, Http2Error.NoError, "bye"));
            await ends.Runtime.WaitForFrame(FrameType.GoAway);
            await caller.SendDataAsync(Message, end: true);
            runtime.SendHeaders([.. Answer, .. Ok], end: true);
            await caller.Trailers;
        },
        ["many streams, interleaved frame by frame"] = async ends =>
        {
            var streams = new List<(RawStream Caller, RawStream Runtime)>();
            for (var i = 0; i < 50; i++) streams.Add(await ends.BeginAsync());
            foreach (var (caller, _) in streams) ends.At.Send(Frame.Data(caller.Id, Message.AsSpan(0, 6)));
            foreach (var (caller, _) in Enumerable.Reverse(streams)) ends.At.Send(Frame.Data(caller.Id, Message.AsSpan(6), end: true));
            foreach (var (_, runtime) in streams) runtime.SendHeaders(Answer);
            foreach (var (_, runtime) in streams) await runtime.SendDataAsync(Message);
            foreach (var (_, runtime) in Enumerable.Reverse(streams)) runtime.SendHeaders(Ok, end: true);
            foreach (var (caller, _) in streams) (await caller.ReadAnswerAsync()).Status.ShouldBe(0);
        },
        ["a header field of 60 KB and values of every byte"] = async ends =>
        {
            var octets = Encoding.Latin1.GetString([.. Enumerable.Range(1, 255).Select(octet => (byte)octet)]);
            var stream = ends.At.Open();
            stream.SendHeaders(ends.Caller.RequestHeaders(Path, ("big", new string('x', 60_000)), ("octets", octets), ("empty", "")),
                end: true);
            var runtime = await ends.ArrivalAsync(1);
            runtime.SendHeaders([.. Answer, ("big", new string('y', 60_000)), ("octets", octets)]);
            runtime.SendHeaders([.. Ok, ("big", new string('z', 60_000))], end: true);
            await stream.Trailers;
        },
    };

    /// <summary>Plays a script over a socket and gives what arrived at both ends.</summary>
    public static async Task<JsonNode> PlayAsync(string exchange, FakeRuntime runtime, string socketPath, RawOptions options)
    {
        await using var caller = await RawCaller.ConnectAsync(socketPath, options);
        var ours = await runtime.ConnectionOfAsync(caller);
        var ends = new Ends(caller, ours);
        await All[exchange](ends);
        await ends.SettleAsync();
        return JsonSerializer.SerializeToNode(new { runtime = Seen(ours.Received), caller = Seen(caller.Connection.Received) })!;
    }

    /// <summary>
    /// Frames in order: each stream for itself and the connection for itself, since nothing is promised between them; and what an end
    /// sends by itself when it reads (credit, acknowledgements) apart from what the script sends. The table size in SETTINGS is the
    /// relay's one liberty, and connection windows count as their sum, of which the relay holds back what is not worth a frame.
    /// </summary>
    private static string[] Seen(IReadOnlyList<Frame> frames)
    {
        const int worthAFrame = 5000; // somewhat more than what is held back
        var windows = frames.Where(IsConnectionWindow).Sum(frame => frame.Number) / worthAFrame;
        var shown = frames
            .Where(frame => !IsConnectionWindow(frame) && !FakeRuntime.IsMark(frame))
            .OrderBy(frame => frame.Stream)
            .ThenBy(frame => frame.Type == FrameType.WindowUpdate
                || (frame.Type is FrameType.Settings or FrameType.Ping && frame.Has(FrameFlags.Ack)))
            .Select(frame => frame.Type == FrameType.Settings ? Settings(frame) : $"{frame} {Convert.ToHexStringLower(frame.Payload)}");
        return [$"connection windows {windows} times {worthAFrame}", .. shown];
    }

    private static bool IsConnectionWindow(Frame frame) => frame is { Type: FrameType.WindowUpdate, Stream: 0 };

    private static string Settings(Frame frame) =>
        frame.Has(FrameFlags.Ack)
            ? "Settings ack"
            : "Settings " + string.Join(", ", frame.Settings.Where(setting => setting.Id != Http2Setting.HeaderTableSize));
}
