using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using ImageCriShim.Metrics;
using ImageCriShim.Relay;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Relay;
using FrameFlags = ImageCriShim.Tests.Fakes.FrameFlags;
using FrameType = ImageCriShim.Tests.Fakes.FrameType;

namespace ImageCriShim.Tests.Fuzzing;

/// <summary>
/// What a caller and a runtime send: an octet that chooses, two octets that say how long the caller's part is, the caller's part, the
/// runtime's. However it is
/// cut into reads, the frames are the same; a connection between both ends, without a defect of ours, and what is forwarded arrives as it was
/// sent. (<see cref="FuzzTests"/> lets two peers talk, which this cannot: here the same octets do the same again.)
/// </summary>
public sealed class FuzzingFrames : FuzzTarget
{
    protected override string Name => "frames";

    protected override IReadOnlyList<byte[]> Words { get; } =
    [
        [.. RawConnection.Preface],
        .. new[]
        {
            Frame.SettingsOf((Http2Setting.InitialWindowSize, 100_000), (Http2Setting.HeaderTableSize, 8192)),
            Frame.SettingsAck,
            Frame.Ping(7),
            Frame.WindowUpdate(0, 70_000),
            Frame.WindowUpdate(1, int.MaxValue),
            Frame.RstStream(1, Http2Error.Cancel),
            Frame.RstStream(3, Http2Error.Cancel),
            Frame.GoAway(1, Http2Error.NoError),
            Frame.Priority(1, new PriorityFields(3)),
            Frame.Data(1, GrpcMessage.Encode("abc"u8), end: true),
            Frame.Data(3, GrpcMessage.Encode(new byte[40]), end: true, padding: 9),
            Frame.Data(1, []),
            Frame.Headers(1, Request(TestEdits.PathOf("Rename"))),
            Frame.Headers(3, Request("/test.Fake/Unary"), padding: 5, priority: new PriorityFields(0)),
            Frame.Headers(1, Answer),
            Frame.Headers(3, Answer, end: true),
            Frame.Headers(1, Answer, endHeaders: false),
            Frame.Continuation(1, Answer),
            Frame.Headers(1, Trailers, end: true),
            new Frame(FrameType.PushPromise, FrameFlags.EndHeaders, 1, [0, 0, 0, 2]),
            new Frame((FrameType)0x42, 0, 1, [1, 2, 3]),
        }.Select(frame => frame.ToBytes()),
        .. TestEdits.Kinds.Select((kind, i) => Frame.Headers(1 + 2 * i, Request(TestEdits.PathOf(kind))).ToBytes()),
    ];

    private static byte[] Answer => Hpack.Encode((":status", "200"), ("content-type", "application/grpc"));

    private static byte[] Trailers => Hpack.Encode(("grpc-status", "0"));

    private protected override string Take(byte[] input)
    {
        if (input.Length < 3)
            return "nothing";
        var (choice, rest) = (input[0], input[3..]);
        var length = Math.Min(BinaryPrimitives.ReadUInt16BigEndian(input.AsSpan(1)), rest.Length);
        var (caller, runtime) = (rest[..length], rest[length..]);
        return $"{Cut(caller, choice)} {Cut(runtime, choice)} {Relay(caller, runtime, edits: (choice & 1) == 1)}";
    }

    /// <summary>Bends one frame of one side, if there are frames.</summary>
    private protected override byte[] Mutate(Mutator mutator, byte[] input, byte[] other)
    {
        var random = mutator.Random;
        if (input.Length < 3 || random.Next(4) == 0)
            return mutator.Mutate(input, other);
        var length = Math.Min(BinaryPrimitives.ReadUInt16BigEndian(input.AsSpan(1)), input.Length - 3);
        var (caller, runtime) = (input[3..(3 + length)], input[(3 + length)..]);
        if (random.Next(2) == 0)
            caller = Bend(caller, mutator);
        else
            runtime = Bend(runtime, mutator);
        caller = caller[..Math.Min(caller.Length, ushort.MaxValue)];
        return [input[0], (byte)(caller.Length >> 8), (byte)caller.Length, .. caller, .. runtime];
    }

    private static byte[] Bend(byte[] octets, Mutator mutator)
    {
        var random = mutator.Random;
        var (preface, frames) = Split(octets);
        if (frames.Count == 0)
            return [.. octets, .. mutator.AnyWord()];
        var at = random.Next(frames.Count);
        var bend = new FrameMutator(random);
        var bent = new List<byte[]>(frames.Select(frame => frame.ToBytes()));
        switch (random.Next(4))
        {
            case 0:
                bent.Insert(at, mutator.AnyWord());
                break;
            case 1:
                bent.Insert(random.Next(frames.Count), frames[at].ToBytes());
                break;
            default:
                for (var tries = 0; tries < 30 && bend.Mutated == 0; tries++)
                    bent[at] = bend.Pass(frames[at]);
                break;
        }

        return [.. preface, .. bent.SelectMany(frame => frame)];
    }

    /// <summary>The units of one side, once all at once and once in pieces.</summary>
    private static string Cut(byte[] octets, int seed)
    {
        var whole = Units(octets, [octets.Length]);
        var random = new Random(seed);
        var pieces = Units(octets, [.. Enumerable.Range(0, octets.Length).Select(_ => 1 + random.Next(random.Next(2) == 0 ? 3 : 300))]);
        Holds(whole.Broken == pieces.Broken && whole.Lengths.SequenceEqual(pieces.Lengths), "other frames when it is cut otherwise");
        Holds(whole.Octets.SequenceEqual(octets[..whole.Octets.Count]) && pieces.Octets.SequenceEqual(whole.Octets), "other octets");
        return $"{Size(whole.Lengths.Count)}{whole.Broken}";
    }

    private static (List<int> Lengths, List<byte> Octets, string? Broken) Units(byte[] octets, int[] cuts)
    {
        var (buffer, lengths, passed, sent) = (new FrameBuffer(64), new List<int>(), new List<byte>(), 0);
        try
        {
            foreach (var cut in cuts)
            {
                var piece = octets.AsSpan(sent, Math.Min(cut, octets.Length - sent));
                buffer.Append(piece);
                sent += piece.Length;
                while (buffer.TryPeek(0, out _, out var length))
                {
                    lengths.Add(length);
                    passed.AddRange(buffer.Unread[..length]);
                    buffer.Consume(length);
                }
            }

            Holds(passed.Count + buffer.Unread.Length == octets.Length, "octets are lost");
            return (lengths, passed, null);
        }
        catch (Http2ProtocolException e)
        {
            return (lengths, passed, $"{e.Code}");
        }
    }

    /// <summary>Both have said all that they will when the relay begins, so nothing depends on who is faster, but for the two directions.</summary>
    private static string Relay(byte[] caller, byte[] runtime, bool edits)
    {
        using var front = new SocketPair();
        using var back = new SocketPair();
        var (log, held) = (new CapturingLog(), new HeldBytes(RelayLimits.HeldBytes));
        front.Near.Send(caller);
        back.Far.Send(runtime);
        front.Near.Shutdown(SocketShutdown.Send);
        back.Far.Shutdown(SocketShutdown.Send);
        new RelayConnection(front.Far, back.Near, edits ? TestEdits.Route : (_, _) => default, held, new CallCounts(), log).Run();
        var (toCaller, toRuntime) = (Read(front.Near), Read(back.Far));
        Holds(!log.Defects.Any(), string.Join('\n', log.Defects));
        if (!edits)
        {
            var last = LastOf(Split(runtime).Frames);
            Arrives(Split(runtime).Frames, Split(toCaller).Frames, last, "an answer");
            Arrives(Split(caller).Frames, Split(toRuntime).Frames, last, "a request");
        }

        return $"{Types(toCaller)} {Types(toRuntime)} {Template(log.Lines.FirstOrDefault("whole"))}";
    }

    /// <summary>
    /// What is about a stream comes through as it is and in its order, up to where the connection broke. A stream that the runtime's GOAWAY leaves out
    /// is refused instead, and the runtime need not see it (RFC 9113 section 6.8).
    /// </summary>
    /// <param name="last">What the runtime's GOAWAY says.</param>
    private static void Arrives(List<Frame> sent, List<Frame> received, uint last, string what)
    {
        var (expected, isLeftOut) = (new Queue<Frame>(sent.Where(IsOfAStream)), false);
        foreach (var frame in received.Where(IsOfAStream).Where(frame => !IsRefusal(frame, last) || IsNext(frame)))
        {
            while (!IsNext(frame) && expected.TryPeek(out var next) && (next.Stream > last || (isLeftOut && next.Type is FrameType.Continuation)))
            {
                expected.Dequeue();
                isLeftOut = true;
            }

            Holds(IsNext(frame), $"{what} is another: {frame}");
            expected.Dequeue();
        }

        // Behind a header block that the runtime does not see the next ones are encoded anew.
        bool IsNext(Frame frame) => expected.TryPeek(out var next)
            && (next.ToBytes().AsSpan().SequenceEqual(frame.ToBytes()) || (isLeftOut && frame.Type is FrameType.Headers && (next.Type, next.Stream) == (frame.Type, frame.Stream)));
    }

    private static bool IsRefusal(Frame frame, uint last) =>
        frame.Type is FrameType.RstStream && frame.Payload.Length == 4 && frame.Number == (uint)Http2Error.RefusedStream && frame.Stream > last;

    private static uint LastOf(List<Frame> runtime) =>
        runtime.Where(frame => frame.Type is FrameType.GoAway && frame.Payload.Length >= 8).Min(frame => (uint?)frame.Number & 0x7fffffff) ?? uint.MaxValue;

    private static bool IsOfAStream(Frame frame) =>
        frame.Type is FrameType.Data or FrameType.Headers or FrameType.Continuation or FrameType.RstStream or FrameType.Priority;

    private static byte[] Read(Socket socket)
    {
        using var received = new MemoryStream();
        var buffer = new byte[16 * 1024];
        try
        {
            for (int read; (read = socket.Receive(buffer)) > 0;)
                received.Write(buffer, 0, read);
        }
        catch (SocketException)
        {
            // The relay closed it with octets of ours unread.
        }

        return received.ToArray();
    }

    private static string Types(byte[] octets) => string.Concat(Split(octets).Frames.Take(16).Select(frame =>
        frame.Type <= FrameType.Continuation ? $"{(int)frame.Type}" : "x"));

    /// <summary>By their lengths, whatever they say; what is no whole frame at the end is left out.</summary>
    private static (byte[] Preface, List<Frame> Frames) Split(byte[] octets)
    {
        var preface = octets.AsSpan().StartsWith(RawConnection.Preface) ? octets[..RawConnection.Preface.Length] : [];
        var frames = new List<Frame>();
        for (ReadOnlySpan<byte> rest = octets.AsSpan(preface.Length); rest.Length >= FrameHeader.Size
            && FrameHeader.Read(rest) is var header && rest.Length >= FrameHeader.Size + header.Length;)
        {
            frames.Add(new Frame((FrameType)header.Type, (FrameFlags)header.Flags, header.StreamId, rest.Slice(FrameHeader.Size,
                header.Length).ToArray()));
            rest = rest[(FrameHeader.Size + header.Length)..];
        }

        return (preface, frames);
    }

    private static byte[] Request(string path) => Hpack.Encode((":method", "POST"), (":scheme", "http"), (":path", path), (":authority",
        "localhost"), ("te", "trailers"));
}
