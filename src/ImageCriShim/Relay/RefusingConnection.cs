using System.Diagnostics;
using System.Net.Sockets;
using ImageCriShim.Metrics;
using ImageCriShim.Relay.Hpack;

namespace ImageCriShim.Relay;

/// <summary>
/// Serves a caller while there is no runtime to relay to: each call is answered with one gRPC status, then the connection is closed
/// so that the caller comes back. The smallest HTTP/2 server that a gRPC client is content with.
/// </summary>
/// <param name="received">Of a <see cref="WaitingCaller"/>.</param>
internal sealed class RefusingConnection(
    Socket caller, StreamAnswer refusal, CallCounts counts, Func<bool> isOver, FrameBuffer? received = null)
{
    // A caller has sent the call that it connected for by then, on a busy node too.
    private static readonly TimeSpan s_firstCall = TimeSpan.FromSeconds(1);

    // After a call; those that come later find a new connection.
    private static readonly TimeSpan s_quiet = TimeSpan.FromMilliseconds(250);

    /// <summary>Of all: who calls again and again must not keep the thread.</summary>
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(5);

    private readonly FrameBuffer _buffer = received ?? new();
    private readonly FrameWriter _writer = new(caller, held: false);
    private readonly HpackDecoder _decoder = new(RelayLimits.HeaderListBytes);
    private readonly List<HeaderField> _fields = [];
    private int _lastStream;
    private bool _hasBegun; // the preface has been read

    /// <summary>For want of something of ours: RESOURCE_EXHAUSTED.</summary>
    /// <param name="reason">For people.</param>
    internal static void Refuse(Socket caller, string reason, CallCounts counts) =>
        new RefusingConnection(caller, StreamAnswer.Error(GrpcCode.ResourceExhausted, $"image-cri-shim: {reason}"), counts, static () => false).Run();

    /// <summary>Answers until the caller has been quiet for a moment, or <c>isOver</c>; closes the connection.</summary>
    internal void Run()
    {
        using (caller)
        {
            try
            {
                Serve();
            }
            catch (Exception e) when (e is SocketException or Http2ProtocolException or HpackException)
            {
                // The caller went away or does not speak HTTP/2: there is nobody to refuse.
            }
        }
    }

    private void Serve()
    {
        const int pollMicroseconds = 20_000; // how soon the runtime's return is noticed
        caller.SendTimeout = (int)s_quiet.TotalMilliseconds;
        if (received is null)
            _writer.Send(new SettingsFrame().Encode());
        AnswerReceived();
        var (begin, quiet) = (Stopwatch.GetTimestamp(), TimeSpan.Zero);
        while (quiet < (_lastStream == 0 ? s_firstCall : s_quiet) && Stopwatch.GetElapsedTime(begin) < s_longest && !isOver())
        {
            quiet += TimeSpan.FromMicroseconds(pollMicroseconds);
            if (!caller.Poll(pollMicroseconds, SelectMode.SelectRead))
                continue;
            if (!_buffer.Fill(caller))
                return;
            quiet = AnswerReceived() ? TimeSpan.Zero : quiet;
        }

        _writer.Send(Frames.GoAway(_lastStream, ErrorCode.NoError, "image-cri-shim: come back on a new connection"));
        caller.Shutdown(SocketShutdown.Send);
    }

    private bool TryConsumePreface()
    {
        if (_buffer.Unread.Length < Frames.Preface.Length)
            return false;
        if (!_buffer.Unread.StartsWith(Frames.Preface))
            throw new Http2ProtocolException(ErrorCode.ProtocolError, "the caller does not speak HTTP/2");
        _buffer.Consume(Frames.Preface.Length);
        return true;
    }

    /// <returns>Whether a call was among it.</returns>
    private bool AnswerReceived()
    {
        _hasBegun = _hasBegun || TryConsumePreface();
        if (!_hasBegun)
            return false;
        var before = _lastStream;
        while (_buffer.TryPeek(0, out var header, out var length))
        {
            Answer(header, _buffer.Unread[..length]);
            _buffer.Consume(length);
        }

        _writer.Send([]);
        return _lastStream != before;
    }

    private void Answer(FrameHeader header, ReadOnlySpan<byte> unit)
    {
        switch (header.Type)
        {
            case FrameType.Settings when !header.Has(FrameFlags.Ack):
                _writer.Append(Frames.Of(FrameType.Settings, FrameFlags.Ack, 0, []));
                break;
            case FrameType.Ping when !header.Has(FrameFlags.Ack):
                _writer.Append(Frames.Of(FrameType.Ping, FrameFlags.Ack, 0, unit[FrameHeader.Size..]));
                break;
            case FrameType.Headers when header.StreamId > _lastStream:
                _lastStream = header.StreamId;
                _decoder.Decode(Frames.HeaderBlock(header, unit), _fields); // refuses bombs as the relay does
                Refuse(header);
                break;
            default:
                break;
        }
    }

    private void Refuse(FrameHeader header)
    {
        var block = new System.Buffers.ArrayBufferWriter<byte>();
        Frames.WriteHeaders(block, header.StreamId, refusal.EncodeTrailers().Span, endStream: true);
        counts.Of(_fields.Find(field => field.IsNamed(":path"u8)).Value.Span).Add((int)refusal.Code);
        _writer.Append(block.WrittenSpan);
        if (!header.EndsStream)
            _writer.Append(Frames.RstStream(header.StreamId, ErrorCode.NoError)); // RFC 9113 section 8.1
    }
}
