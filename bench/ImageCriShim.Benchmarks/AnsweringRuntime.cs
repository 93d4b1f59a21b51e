using System.Buffers;
using System.Net.Sockets;
using System.Text;
using ImageCriShim.Cri;
using ImageCriShim.Relay;
using ImageCriShim.Relay.Hpack;

namespace ImageCriShim.Benchmarks;

/// <summary>
/// A runtime that answers at once what no CRI call of containerd's gives: 200 KB, and 10,000 messages. Every answer is made
/// beforehand, and written in the portions of grpc-go. It believes that its callers open their windows wide, as h2load does.
/// </summary>
internal static class AnsweringRuntime
{
    internal const string LargePath = "/bench.Bench/Large";
    internal const string StreamPath = "/bench.Bench/Stream";
    internal const int LargeBytes = 200_000;
    internal const int StreamedBytes = StreamedMessages * (GrpcMessage.PrefixBytes + StreamedMessageBytes);

    private const int StreamedMessages = 10_000;
    private const int StreamedMessageBytes = 100;
    private const int PortionBytes = 32 * 1024; // grpc-go's write buffer
    private const int CreditBytes = 16 * 1024; // a quarter of the window that callers begin with

    private static readonly byte[] s_headers = Block([(":status", "200"), ("content-type", "application/grpc")]);
    private static readonly byte[] s_trailers = Block([("grpc-status", "0"), ("grpc-message", "")]);
    private static readonly byte[][] s_empty = [GrpcMessage.Frame([])];
    private static readonly byte[][] s_large = [.. GrpcMessage.Frame(new byte[LargeBytes]).Chunk(Frames.MaxPayload)];
    private static readonly byte[][] s_stream = [.. Enumerable.Repeat(GrpcMessage.Frame(new byte[StreamedMessageBytes]), StreamedMessages)];

    internal static int Run(string path)
    {
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        while (true)
        {
            var caller = listener.Accept();
            new Thread(() => Serve(caller)) { IsBackground = true }.Start();
        }
    }

    private static void Serve(Socket caller)
    {
        try
        {
            using (caller)
                Answer(caller);
        }
        catch (SocketException)
        {
            // The caller is gone.
        }
    }

    private static void Answer(Socket caller)
    {
        var (buffer, decoder, fields) = (new FrameBuffer(), new HpackDecoder(RelayLimits.HeaderListBytes), new List<HeaderField>());
        var answers = new Dictionary<int, byte[][]>();
        var output = new ArrayBufferWriter<byte>(2 * PortionBytes);
        var taken = 0;
        output.Write(Frames.Of(FrameType.Settings, FrameFlags.None, 0, []));
        while (buffer.Unread.Length < Frames.Preface.Length)
        {
            if (!buffer.Fill(caller))
                return; // somebody who only looked whether we listen
        }

        buffer.Consume(Frames.Preface.Length);
        do
        {
            while (buffer.TryPeek(0, out var header, out var length))
            {
                var unit = buffer.Unread[..length];
                if (header.Type is FrameType.Headers)
                {
                    decoder.Decode(Frames.HeaderBlock(header, unit), fields);
                    answers[header.StreamId] = Find(fields);
                }
                else if (header.Type is FrameType.Settings or FrameType.Ping && !header.Has(FrameFlags.Ack))
                    output.Write(Frames.Of(header.Type, FrameFlags.Ack, 0, header.Type is FrameType.Ping ? unit[FrameHeader.Size..] : []));

                if (header.Type is FrameType.Data && (taken += header.Length) > CreditBytes)
                {
                    output.Write(Frames.WindowUpdate(0, taken));
                    taken = 0;
                }

                if (header.EndsStream && answers.Remove(header.StreamId, out var answer))
                    Write(caller, output, header.StreamId, answer);
                buffer.Consume(length);
            }

            Send(caller, output);
        }
        while (buffer.Fill(caller));
    }

    private static byte[][] Find(List<HeaderField> fields) =>
        Encoding.ASCII.GetString(fields.Find(field => field.IsNamed(":path"u8)).Value.Span) switch
        {
            LargePath => s_large,
            StreamPath => s_stream,
            _ => s_empty,
        };

    private static void Write(Socket caller, ArrayBufferWriter<byte> output, int stream, byte[][] data)
    {
        Frames.WriteHeaders(output, stream, s_headers, endStream: false);
        foreach (var part in data)
        {
            new FrameHeader(part.Length, FrameType.Data, FrameFlags.None, stream).Write(output.GetSpan(FrameHeader.Size));
            output.Advance(FrameHeader.Size);
            output.Write(part);
            if (output.WrittenCount >= PortionBytes)
                Send(caller, output);
        }

        Frames.WriteHeaders(output, stream, s_trailers, endStream: true);
    }

    private static void Send(Socket caller, ArrayBufferWriter<byte> output)
    {
        for (var rest = output.WrittenSpan; !rest.IsEmpty;)
            rest = rest[caller.Send(rest)..];
        output.ResetWrittenCount();
    }

    private static byte[] Block((string Name, string Value)[] fields)
    {
        var block = new ArrayBufferWriter<byte>();
        foreach (var (name, value) in fields)
            HpackEncoder.WriteLiteral(block, name, value);
        return block.WrittenSpan.ToArray();
    }
}
