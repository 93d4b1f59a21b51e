using System.Buffers;
using System.Net.Sockets;
using System.Text;
using ImageCriShim.Cri;
using ImageCriShim.Relay;
using ImageCriShim.Relay.Hpack;

namespace ImageCriShim.Benchmarks;

/// <summary>One unary or server-streaming call after the other, and what was answered: h2load measures, but does not look.</summary>
internal sealed class Caller : IDisposable
{
    private const int Window = 1 << 30;

    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly FrameBuffer _buffer = new();
    private readonly HpackDecoder _decoder = new(RelayLimits.HeaderListBytes);
    private readonly List<HeaderField> _fields = [];
    private int _stream = -1;

    internal Caller(string path)
    {
        _socket.Connect(new UnixDomainSocketEndPoint(path));
        Send([.. Frames.Preface]);
        Send(Frames.Of(FrameType.Settings, FrameFlags.None, 0, [0, 4, Window >> 24, 0, 0, 0])); // SETTINGS_INITIAL_WINDOW_SIZE
        Send(Frames.WindowUpdate(0, Window));
    }

    /// <returns>The gRPC frames of the answer.</returns>
    /// <exception cref="BenchException">The call failed.</exception>
    internal ReadOnlyMemory<byte> Call(string path, ReadOnlySpan<byte> message)
    {
        _stream += 2;
        var request = new ArrayBufferWriter<byte>();
        Frames.WriteHeaders(request, _stream, Head(path), endStream: false);
        request.Write(Frames.Of(FrameType.Data, FrameFlags.EndStream, _stream, GrpcMessage.Frame(message)));
        Send(request.WrittenSpan);
        return ReadAnswer(path);
    }

    public void Dispose() => _socket.Dispose();

    private ReadOnlyMemory<byte> ReadAnswer(string path)
    {
        var body = new ArrayBufferWriter<byte>();
        do
        {
            while (_buffer.TryPeek(0, out var header, out var length))
            {
                var ended = Read(header, _buffer.Unread[..length], body);
                _buffer.Consume(length);
                if (!ended)
                    continue;
                CheckStatus(path);
                return body.WrittenMemory;
            }
        }
        while (_buffer.Fill(_socket));
        throw new BenchException($"{path}: the connection was closed");
    }

    private bool Read(FrameHeader header, ReadOnlySpan<byte> unit, ArrayBufferWriter<byte> body)
    {
        if (header.Type is FrameType.Headers)
            _decoder.Decode(Frames.HeaderBlock(header, unit), _fields);
        else if (header.Type is FrameType.Data)
            body.Write(Frames.Data(header, unit));
        else if (header.Type is FrameType.RstStream or FrameType.GoAway)
            throw new BenchException($"{header.Type} instead of an answer");
        else if (header.Type is FrameType.Settings or FrameType.Ping && !header.Has(FrameFlags.Ack))
            Send(Frames.Of(header.Type, FrameFlags.Ack, 0, header.Type is FrameType.Ping ? unit[FrameHeader.Size..] : []));
        return header.EndsStream;
    }

    private void CheckStatus(string path)
    {
        var (status, message) = (Find("grpc-status"u8), Find("grpc-message"u8));
        if (status != "0")
            throw new BenchException($"{path} failed: {status} {message}");
    }

    private string Find(ReadOnlySpan<byte> name)
    {
        foreach (var field in _fields)
        {
            if (field.IsNamed(name))
                return Encoding.UTF8.GetString(field.Value.Span);
        }

        return "";
    }

    private void Send(ReadOnlySpan<byte> frames)
    {
        while (!frames.IsEmpty)
            frames = frames[_socket.Send(frames)..];
    }

    private static byte[] Head(string path)
    {
        var block = new ArrayBufferWriter<byte>();
        HpackEncoder.WriteLiteral(block, ":method", "POST");
        HpackEncoder.WriteLiteral(block, ":scheme", "http");
        HpackEncoder.WriteLiteral(block, ":path", path);
        HpackEncoder.WriteLiteral(block, ":authority", "localhost");
        HpackEncoder.WriteLiteral(block, "content-type", "application/grpc");
        HpackEncoder.WriteLiteral(block, "te", "trailers");
        return block.WrittenSpan.ToArray();
    }
}
