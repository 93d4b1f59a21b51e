using System.Collections.Concurrent;
using System.Net.Sockets;
using ImageCriShim.Relay;
using ImageCriShim.Tests.Fakes;
using FrameFlags = ImageCriShim.Tests.Fakes.FrameFlags;
using FrameType = ImageCriShim.Tests.Fakes.FrameType;

namespace ImageCriShim.Tests.Relay;

/// <summary>Makes calls of every kind, well formed but for what its mutator does, and reads all that comes back.</summary>
internal sealed class FuzzCaller(Socket socket, Random random)
{
    private const int OpenStreams = 40;

    private readonly FrameMutator _mutator = new(random);
    private readonly ConcurrentQueue<Frame> _replies = new(); // the reader never writes: both sides would wait for each other
    private readonly List<int> _open = [];
    private readonly Func<IEnumerable<Header>, byte[]> _encode = random.Next(2) == 0 ? fields => Hpack.Encode(fields) : RawOptions.Indexing();
    private int _nextStream = 1;

    internal int Mutated => _mutator.Mutated;

    /// <summary>Sends this many frames, or as many as the relay takes, and ends its side.</summary>
    internal void Run(int frames)
    {
        var reader = new Thread(() => FuzzSocket.ReadFrames(socket, Reply)) { IsBackground = true, Name = "fuzz caller" };
        reader.Start();
        try
        {
            FuzzSocket.Send(socket, [.. RawConnection.Preface, .. Frame.SettingsOf((Http2Setting.InitialWindowSize, (uint)random.Next(100_000))).ToBytes()]);
            for (var sent = 0; sent < frames;)
            {
                using var batch = new MemoryStream();
                for (var i = random.Next(1, 60); i > 0; i--, sent++)
                    batch.Write(_mutator.Pass(_replies.TryDequeue(out var reply) ? reply : Next()));
                FuzzSocket.Send(socket, batch.ToArray());
            }

            socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // The relay ended the connection, as it should when the framing is broken.
        }

        reader.Join();
    }

    private Frame Next()
    {
        if (_open.Count == 0 || (_open.Count < OpenStreams && random.Next(4) == 0))
            return Open();
        var stream = _open[random.Next(_open.Count)];
        switch (random.Next(12))
        {
            case 0:
                return Frame.WindowUpdate(random.Next(2) * stream, random.Next(1, 70_000));
            case 1:
                return Frame.Ping((ulong)random.NextInt64());
            case 2:
                return Frame.Priority(stream, new PriorityFields(0));
            case 3:
                _open.Remove(stream);
                return Frame.RstStream(stream, Http2Error.Cancel);
            case 4 or 5 or 6:
                return Frame.Data(stream, GrpcMessage.Encode(new byte[random.Next(3000)]), padding: random.Next(3) == 0 ? random.Next(256) : null);
            default:
                _open.Remove(stream);
                return Frame.Data(stream, random.Next(2) == 0 ? [] : GrpcMessage.Encode(new byte[random.Next(300)]), end: true);
        }
    }

    private Frame Open()
    {
        var path = random.Next(3) == 0 ? "/test.Fake/Unary"
            : random.Next(20) == 0 ? TestEdits.PathOf("Rename")
            : TestEdits.PathOf(TestEdits.Kinds[random.Next(TestEdits.Kinds.Length)]);
        var block = _encode(
        [
            (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "localhost"), ("te", "trailers"), ("x", $"{random.Next(9)}"),
            .. random.Next(30) == 0 ? [new Header("content-length", "7")] : Array.Empty<Header>(),
        ]);
        var (stream, end) = (_nextStream, random.Next(20) == 0);
        _nextStream += 2;
        if (!end)
            _open.Add(stream);
        return Frame.Headers(stream, block, end, padding: random.Next(5) == 0 ? 3 : null, priority: random.Next(5) == 0 ? new PriorityFields(0) : null);
    }

    private void Reply(Frame frame)
    {
        if (FuzzSocket.Answer(frame) is { } answer)
            _replies.Enqueue(answer);
        else if (frame.Type is FrameType.Data && frame.Payload.Length > 0)
            _replies.Enqueue(Frame.WindowUpdate(random.Next(2) * frame.Stream, frame.Payload.Length));
    }
}

/// <summary>Answers whatever stream it hears of, well formed but for what its mutator does.</summary>
internal sealed class FuzzRuntime(Socket socket, Random random)
{
    private static readonly byte[] s_headers = Hpack.Encode((":status", "200"), ("content-type", "application/grpc"), ("grpc-encoding", "gzip"));
    private static readonly byte[] s_trailers = Hpack.Encode(("grpc-status", "0"));

    private readonly FrameMutator _mutator = new(random);

    internal int Mutated => _mutator.Mutated;

    /// <summary>Answers until the relay ends the connection.</summary>
    internal void Run()
    {
        try
        {
            FuzzSocket.Send(socket, Frame.SettingsOf((Http2Setting.InitialWindowSize, (uint)random.Next(100_000)), (Http2Setting.HeaderTableSize, 8192)).ToBytes());
            FuzzSocket.ReadFrames(socket, frame =>
            {
                using var batch = new MemoryStream();
                foreach (var answer in Answers(frame))
                    batch.Write(_mutator.Pass(answer));
                FuzzSocket.Send(socket, batch.ToArray());
            }, RawConnection.Preface.Length);
        }
        catch (SocketException)
        {
            // As for the caller.
        }

        socket.Dispose();
    }

    private IEnumerable<Frame> Answers(Frame frame)
    {
        if (FuzzSocket.Answer(frame) is { } answer)
            return [answer];
        if (frame.Type is FrameType.Data && frame.Payload.Length > 0)
            return [Frame.WindowUpdate(0, frame.Payload.Length), Frame.WindowUpdate(frame.Stream, frame.Payload.Length)];
        if (frame.Type is not FrameType.Headers)
            return [];
        return random.Next(8) switch
        {
            0 => [Frame.Headers(frame.Stream, s_trailers, end: true)],
            1 => [Frame.RstStream(frame.Stream, Http2Error.RefusedStream)],
            2 => [Frame.Headers(frame.Stream, s_headers), Frame.Data(frame.Stream, new byte[random.Next(16_384)])],
            3 => [Frame.Ping(7), Frame.Headers(frame.Stream, s_headers.AsSpan(0, 5), endHeaders: false), Frame.Continuation(frame.Stream, s_headers.AsSpan(5)), Frame.Data(frame.Stream, [], end: true)],
            _ => [Frame.Headers(frame.Stream, s_headers), Frame.Data(frame.Stream, GrpcMessage.Encode(new byte[random.Next(500)], gzip: true)), Frame.Headers(frame.Stream, s_trailers, end: true)],
        };
    }
}

/// <summary>What both peers do with their socket.</summary>
internal static class FuzzSocket
{
    internal static void Send(Socket socket, ReadOnlySpan<byte> octets)
    {
        while (!octets.IsEmpty)
            octets = octets[socket.Send(octets)..];
    }

    /// <summary>The acknowledgement that a frame demands.</summary>
    internal static Frame? Answer(Frame frame) => frame.Type switch
    {
        FrameType.Settings when !frame.Has(FrameFlags.Ack) => Frame.SettingsAck,
        FrameType.Ping when !frame.Has(FrameFlags.Ack) => frame with { Flags = FrameFlags.Ack },
        _ => null,
    };

    /// <summary>Reads to the end of the other side; frames are cut by their lengths, whatever they say.</summary>
    internal static void ReadFrames(Socket socket, Action<Frame> received, int skip = 0)
    {
        var buffer = new byte[512 * 1024]; // more than the largest frame that the relay passes on
        var filled = 0;
        try
        {
            for (int read; (read = socket.Receive(buffer.AsSpan(filled))) > 0;)
            {
                filled += read;
                var unread = buffer.AsSpan(0, filled);
                if (unread.Length < skip)
                    continue;
                unread = unread[skip..];
                skip = 0;
                while (unread.Length >= FrameHeader.Size && FrameHeader.Read(unread) is var header && unread.Length >= FrameHeader.Size + header.Length)
                {
                    received(new Frame((FrameType)header.Type, (FrameFlags)header.Flags, header.StreamId, unread.Slice(FrameHeader.Size, header.Length).ToArray()));
                    unread = unread[(FrameHeader.Size + header.Length)..];
                }

                unread.CopyTo(buffer);
                filled = unread.Length;
            }
        }
        catch (SocketException)
        {
            // The relay closed the connection with frames of ours unread.
        }
    }
}
