using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Relay;

/// <summary>
/// Rule 3: a pump never writes to the socket that it reads from. The peers here are single-minded: they read nothing until they have
/// written everything, so whoever waits for them to read while they write waits for ever.
/// </summary>
public sealed class BackPressure : RelayTest
{
    private const int Window = 65_535;

    private static readonly (Http2Setting, uint)[] s_wide = [(Http2Setting.InitialWindowSize, int.MaxValue)];

    private static readonly byte[] s_begin =
    [
        .. RawConnection.Preface, .. Frame.SettingsOf(s_wide).ToBytes(), .. Frame.WindowUpdate(0, int.MaxValue - Window).ToBytes(),
    ];

    /// <summary>Each 5 KB of an edited body are credited; a socket holds some hundred such frames.</summary>
    [Fact]
    public async Task A_caller_that_reads_only_when_it_has_written_everything_is_served()
    {
        StartRuntime(new() { Settings = s_wide });
        StartRelay();
        using var caller = ConnectBare();
        caller.SendBufferSize = 4096;
        caller.Send(s_begin);
        const int size = 10_000_000;
        SendCall(caller, 1, "/edit/Answer", size, frameSize: 500);
        SendCall(caller, 3, "/edit/Watch", size, frameSize: 500);
        var answered = ReadUntilEnd(caller, 1, 3);
        answered.ShouldBe(2 * (size + GrpcMessage.PrefixLength));
        await Wait.Until(() => Listener.HeldBytes == 0, "nothing is held");
    }

    /// <summary>The same from the other side: a watched answer is credited to the runtime while it is being written.</summary>
    [Fact]
    public async Task A_runtime_that_reads_only_when_it_has_written_everything_is_served()
    {
        using var runtime = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        runtime.Bind(new UnixDomainSocketEndPoint(RuntimeSocketPath));
        runtime.Listen();
        StartRelay();
        var caller = await Connect(new() { Settings = s_wide });
        caller.Connection.Send(Frame.WindowUpdate(0, int.MaxValue - Window));
        var call = caller.CallAsync("/edit/Watch", new byte[10]);
        const int size = 10_000_000;
        using var connection = await Task.Run(() => AnswerThenRead(runtime, size), TestContext.Current.CancellationToken);
        (await call).Messages.ShouldHaveSingleItem().Bytes.Length.ShouldBe(size);
    }

    [Fact]
    public async Task A_caller_that_pauses_gets_every_answer_however_large_together()
    {
        StartRuntime();
        StartRelay();
        using var caller = ConnectBare();
        caller.Send(s_begin);
        const int size = 12 * 1024 * 1024;
        for (var id = 1; id <= 5; id += 2)
            SendCall(caller, id, "/edit/Answer", size, frameSize: 16_384);
        await Wait.Until(() => Edits.Calls.Count == 3, "the calls are there");
        await Wait.AWhile(); // the answers are ready
        ReadUntilEnd(caller, 1, 3, 5).ShouldBe(3 * (size + GrpcMessage.PrefixLength));
    }

    [Fact]
    public async Task Much_data_both_ways_over_small_buffers_passes()
    {
        var (caller, _) = await Begin();
        var message = new byte[3_000_000];
        string[] paths = ["/test.Fake/Unary", "/edit/Watch", "/edit/Refuse", "/edit/Answer", "/edit/Forward"];
        var bidi = caller.Start("/test.Fake/Bidi");
        var streaming = Stream();
        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => caller.CallAsync(paths[i % paths.Length], message)));
        answers.ShouldAllBe(answer => answer.Single.Length == message.Length);
        await streaming;
        (await bidi.ReadAnswerAsync()).Messages.Count.ShouldBe(200);

        async Task Stream()
        {
            for (var i = 0; i < 200; i++)
                await bidi.SendMessageAsync(message.AsSpan(0, 50_000), end: i == 199);
        }
    }

    /// <summary>Rule 6: what the pumps share is not held while one of them waits for its peer.</summary>
    [Fact]
    public async Task A_caller_that_does_not_read_is_still_heard()
    {
        StartRuntime();
        Runtime.On("/test/Heard", _ => Task.CompletedTask);
        StartRelay();
        using var caller = ConnectBare();
        caller.Send(s_begin);
        SendCall(caller, 1, "/test.Fake/ServerStream", Encoding.UTF8.GetBytes("""{"count":1000,"size":10000}"""), frameSize: 16_384);
        await Wait.Until(() => Runtime.Calls.Count == 1, "the call is there");
        await Wait.AWhile(); // the sockets are full
        for (var id = 3; id < 203; id += 2)
            SendCall(caller, id, "/test/Heard", new byte[10], frameSize: 16_384);
        await Wait.Until(() => Runtime.CallsOf("Heard").Count() == 100, "all are heard");
    }

    /// <summary>Stuck callers must not take the threads that everybody's answers need.</summary>
    [Fact]
    public async Task Callers_that_never_read_do_not_hinder_the_others()
    {
        StartRuntime(new() { Settings = s_wide });
        StartRelay();
        var stuck = Enumerable.Range(0, 40).Select(_ => ConnectBare()).ToList();
        foreach (var caller in stuck)
        {
            caller.Send(s_begin);
            SendCall(caller, 1, "/edit/Answer", 1_000_000, frameSize: 16_384);
        }

        await Wait.Until(() => Edits.Calls.Count == stuck.Count, "the calls are there");
        var live = await Connect();
        for (var i = 0; i < 20; i++)
            (await live.CallAsync("/edit/Answer", new byte[50_000])).Status.ShouldBe(0);
        stuck.ForEach(caller => caller.Dispose());

    }

    private static void SendCall(Socket caller, int id, string path, int size, int frameSize) =>
        SendCall(caller, id, path, new byte[size], frameSize);

    private static void SendCall(Socket caller, int id, string path, byte[] message, int frameSize)
    {
        var headers = Hpack.Encode(
            (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "localhost"), ("content-type", "application/grpc"));
        var body = GrpcMessage.Encode(message);
        caller.Send(Frame.Headers(id, headers).ToBytes());
        for (var at = 0; at < body.Length; at += frameSize)
        {
            var length = Math.Min(frameSize, body.Length - at);
            caller.Send(Frame.Data(id, body.AsSpan(at, length), end: at + length == body.Length).ToBytes());
        }
    }

    private static Socket AnswerThenRead(Socket listener, int size)
    {
        var runtime = listener.Accept();
        runtime.SendTimeout = runtime.ReceiveTimeout = (int)RawConnection.Patience.TotalMilliseconds;
        runtime.SendBufferSize = 4096;
        runtime.Send(Frame.SettingsOf(s_wide).ToBytes());
        ReadFrames(runtime, RawConnection.Preface.Length, frame => frame.EndsStream);
        runtime.Send(Frame.Headers(1, Hpack.Encode((":status", "200"), ("content-type", "application/grpc"))).ToBytes());
        var body = GrpcMessage.Encode(new byte[size]);
        for (var at = 0; at < body.Length; at += 500)
            runtime.Send(Frame.Data(1, body.AsSpan(at, Math.Min(500, body.Length - at))).ToBytes());
        runtime.Send(Frame.Headers(1, Hpack.Encode(("grpc-status", "0")), end: true).ToBytes());
        ReadFrames(runtime, 0, frame => frame.Type == FrameType.WindowUpdate);
        return runtime;
    }

    /// <returns>Octets of DATA on these streams.</returns>
    private static long ReadUntilEnd(Socket caller, params int[] streams)
    {
        var (left, data) = (streams.ToHashSet(), 0L);
        ReadFrames(caller, 0, frame =>
        {
            if (frame.Type == FrameType.Data)
                data += frame.Body.Length;
            if (frame.EndsStream)
                left.Remove(frame.Stream);
            return left.Count == 0;
        });
        return data;
    }

    private static void ReadFrames(Socket socket, int skip, Func<Frame, bool> isLast)
    {
        using var stream = new BufferedStream(new NetworkStream(socket), 1 << 20);
        stream.ReadExactly(new byte[skip]);
        var header = new byte[Frame.HeaderLength];
        Frame frame;
        do
        {
            stream.ReadExactly(header);
            var payload = new byte[header[0] << 16 | header[1] << 8 | header[2]];
            stream.ReadExactly(payload);
            frame = new Frame((FrameType)header[3], (FrameFlags)header[4], BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(5)), payload);
        }
        while (!isLast(frame));
    }
}
