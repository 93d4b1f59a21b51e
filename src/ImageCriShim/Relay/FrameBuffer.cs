using System.Net.Sockets;

namespace ImageCriShim.Relay;

/// <summary>
/// What one peer sent and nobody has looked at yet. Hands out units: a frame, or a HEADERS frame with all its CONTINUATION
/// frames, between which nothing may be put (RFC 9113 section 6.10).
/// </summary>
/// <param name="initialBytes">Grows for a unit that does not fit.</param>
internal sealed class FrameBuffer(int initialBytes = FrameBuffer.DefaultBytes)
{
    // Four full frames of the usual 16 KiB in one read.
    private const int DefaultBytes = 64 * 1024;

    // Below this a read is not worth its system call, and what is unread is moved to the front first.
    private const int MinRoom = 16 * 1024;

    private byte[] _bytes = GC.AllocateUninitializedArray<byte>(initialBytes);
    private int _start;
    private int _end;

    internal ReadOnlySpan<byte> Unread => _bytes.AsSpan(_start, _end - _start);

    /// <summary>Waits for at least one octet more.</summary>
    /// <returns>False at the end of the peer's sending side.</returns>
    internal bool Fill(Socket from)
    {
        var received = from.Receive(Room(), SocketFlags.None);
        _end += received;
        return received > 0;
    }

    /// <summary>The same without holding the thread.</summary>
    /// <exception cref="OperationCanceledException"/>
    internal async ValueTask<bool> FillAsync(Socket from, CancellationToken cancellation)
    {
        _ = Room();
        var received = await from.ReceiveAsync(_bytes.AsMemory(_end), SocketFlags.None, cancellation);
        _end += received;
        return received > 0;
    }

    /// <summary>As if received; for callers that read by other means.</summary>
    internal void Append(ReadOnlySpan<byte> octets)
    {
        if (_bytes.Length - _end < octets.Length)
            _ = Room(_end - _start + octets.Length);
        octets.CopyTo(_bytes.AsSpan(_end));
        _end += octets.Length;
    }

    /// <param name="offset">Where to look, from the start of <see cref="Unread"/>.</param>
    /// <param name="header">Of the first frame of the unit.</param>
    /// <param name="length">Octets of the whole unit, frame headers included.</param>
    /// <returns>False where the unit has not arrived whole.</returns>
    /// <exception cref="Http2ProtocolException">The unit breaks RFC 9113 or is larger than allowed.</exception>
    internal bool TryPeek(int offset, out FrameHeader header, out int length)
    {
        var rest = Unread[offset..];
        if (!TryPeekFrame(rest, out header, out length))
            return false;
        if (header.Type is FrameType.Continuation)
            throw new Http2ProtocolException(ErrorCode.ProtocolError, "a CONTINUATION frame follows no HEADERS frame");
        if (header.Type is not (FrameType.Headers or FrameType.PushPromise) || header.Has(FrameFlags.EndHeaders))
            return true;
        return TryExtendOverContinuations(rest, header.StreamId, ref length);
    }

    /// <summary>
    /// Passes over whole DATA frames in a row that end nothing. A stream of small messages is nothing else, and then this loop is what a
    /// message costs.
    /// </summary>
    /// <param name="offset">Where to begin, from the start of <see cref="Unread"/>.</param>
    /// <param name="data">Grows by what flow control counts.</param>
    /// <returns>The offset of the first frame that is something else, too large or not whole.</returns>
    internal int SkipData(int offset, ref long data)
    {
        for (var rest = Unread[offset..]; rest.Length >= FrameHeader.Size && rest[3] == (byte)FrameType.Data;)
        {
            var length = (rest[0] << 16) | (rest[1] << 8) | rest[2];
            if (length > RelayLimits.FrameBytes || length > rest.Length - FrameHeader.Size || (rest[4] & (byte)FrameFlags.EndStream) != 0)
                break;
            rest = rest[(FrameHeader.Size + length)..];
            offset += FrameHeader.Size + length;
            data += length;
        }

        return offset;
    }

    internal void Consume(int octets)
    {
        _start += octets;
        if (_start == _end)
            _start = _end = 0;
    }

    private static bool TryPeekFrame(ReadOnlySpan<byte> rest, out FrameHeader header, out int length)
    {
        (header, length) = (default, 0);
        if (rest.Length < FrameHeader.Size)
            return false;
        header = FrameHeader.Read(rest);
        if (header.Length > RelayLimits.FrameBytes)
            throw new Http2ProtocolException(ErrorCode.FrameSizeError, $"a frame of {header.Length} octets is above {RelayLimits.FrameBytes}");
        length = FrameHeader.Size + header.Length;
        return rest.Length >= length;
    }

    private static bool TryExtendOverContinuations(ReadOnlySpan<byte> rest, int stream, ref int length)
    {
        for (var frames = 1; ; frames++)
        {
            if (frames > RelayLimits.Continuations || length > RelayLimits.HeaderBlockBytes)
                throw new Http2ProtocolException(ErrorCode.EnhanceYourCalm, "a header block is too large or cut into too many frames");
            if (rest.Length - length < FrameHeader.Size)
                return false;
            var whole = TryPeekFrame(rest[length..], out var next, out var nextLength);
            if (next.Type is not FrameType.Continuation || next.StreamId != stream)
                throw new Http2ProtocolException(ErrorCode.ProtocolError, "a header block is interrupted by another frame");
            if (!whole)
                return false;
            length += nextLength;
            if (next.Has(FrameFlags.EndHeaders))
                return true;
        }
    }

    private Span<byte> Room(int atLeast = 0)
    {
        if (_bytes.Length - _end >= MinRoom && atLeast == 0)
            return _bytes.AsSpan(_end);
        var unread = Unread;
        var size = Math.Max(atLeast, _bytes.Length - unread.Length < MinRoom ? _bytes.Length * 2 : _bytes.Length);
        var target = size > _bytes.Length ? GC.AllocateUninitializedArray<byte>(size) : _bytes;
        unread.CopyTo(target);
        (_bytes, _start, _end) = (target, 0, unread.Length);
        return _bytes.AsSpan(_end);
    }
}
