using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace ImageCriShim.Relay;

/// <summary>Frames of our own, written, and the inner parts of received ones, read (RFC 9113 section 6).</summary>
internal static class Frames
{
    /// <summary>What every peer accepts without having said so (RFC 9113 section 4.2).</summary>
    internal const int MaxPayload = 16 * 1024;

    /// <summary>RFC 9113 section 3.4: what a client says first.</summary>
    internal static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    /// <summary>What grpc-go puts into a PING that measures the bandwidth, and into no other (internal/transport, bdpPing).</summary>
    internal static ReadOnlySpan<byte> BandwidthPing => [2, 4, 16, 16, 9, 14, 7, 7];

    internal static byte[] RstStream(int stream, ErrorCode code) => OfUInt32(FrameType.RstStream, stream, (uint)code);

    internal static byte[] WindowUpdate(int stream, int increment) => OfUInt32(FrameType.WindowUpdate, stream, (uint)increment);

    internal static byte[] GoAway(int lastStream, ErrorCode code, string reason)
    {
        var text = Encoding.UTF8.GetBytes(reason);
        var payload = new byte[8 + text.Length];
        BinaryPrimitives.WriteInt32BigEndian(payload, lastStream);
        BinaryPrimitives.WriteUInt32BigEndian(payload.AsSpan(4), (uint)code);
        text.CopyTo(payload, 8);
        return Of(FrameType.GoAway, FrameFlags.None, 0, payload);
    }

    internal static byte[] Of(FrameType type, FrameFlags flags, int stream, ReadOnlySpan<byte> payload)
    {
        var frame = new byte[FrameHeader.Size + payload.Length];
        new FrameHeader(payload.Length, type, flags, stream).Write(frame);
        payload.CopyTo(frame.AsSpan(FrameHeader.Size));
        return frame;
    }

    /// <summary>A header block as HEADERS and as many CONTINUATION frames as it needs (RFC 9113 section 6.10).</summary>
    internal static void WriteHeaders(IBufferWriter<byte> into, int stream, ReadOnlySpan<byte> block, bool endStream)
    {
        var type = FrameType.Headers;
        var flags = endStream ? FrameFlags.EndStream : FrameFlags.None;
        do
        {
            var part = block[..Math.Min(block.Length, MaxPayload)];
            block = block[part.Length..];
            into.Write(Of(type, block.IsEmpty ? flags | FrameFlags.EndHeaders : flags, stream, part));
            (type, flags) = (FrameType.Continuation, FrameFlags.None);
        }
        while (!block.IsEmpty);
    }

    /// <summary>The data of a DATA frame without its padding (RFC 9113 section 6.1).</summary>
    internal static ReadOnlySpan<byte> Data(FrameHeader header, ReadOnlySpan<byte> frame) =>
        Unpadded(header, frame.Slice(FrameHeader.Size, header.Length));

    /// <summary>The field block fragment of a HEADERS frame: no padding, no priority (RFC 9113 section 6.2).</summary>
    internal static ReadOnlySpan<byte> Fragment(FrameHeader header, ReadOnlySpan<byte> frame)
    {
        var payload = Unpadded(header, frame.Slice(FrameHeader.Size, header.Length));
        if (!header.Has(FrameFlags.Priority))
            return payload;
        return payload.Length >= 5 ? payload[5..] : throw new Http2ProtocolException(ErrorCode.FrameSizeError, "a HEADERS frame is too short");
    }

    /// <summary>The whole block of a unit: the fragments of HEADERS and its CONTINUATION frames, joined where there are several.</summary>
    internal static ReadOnlySpan<byte> HeaderBlock(FrameHeader header, ReadOnlySpan<byte> unit)
    {
        var first = Fragment(header, unit);
        var rest = unit[(FrameHeader.Size + header.Length)..];
        if (rest.IsEmpty)
            return first;
        var block = new ArrayBufferWriter<byte>(unit.Length);
        block.Write(first);
        while (!rest.IsEmpty)
        {
            var length = FrameHeader.Read(rest).Length;
            block.Write(rest.Slice(FrameHeader.Size, length));
            rest = rest[(FrameHeader.Size + length)..];
        }

        return block.WrittenSpan;
    }

    /// <summary>The increment of a WINDOW_UPDATE frame (RFC 9113 section 6.9); 0 is the receiver's to complain about.</summary>
    internal static int Increment(FrameHeader header, ReadOnlySpan<byte> frame) => header.Length == 4
        ? BinaryPrimitives.ReadInt32BigEndian(frame[FrameHeader.Size..]) & 0x7FFF_FFFF
        : throw new Http2ProtocolException(ErrorCode.FrameSizeError, "a WINDOW_UPDATE frame is not 4 octets long");

    /// <summary>The last stream that a GOAWAY frame names (RFC 9113 section 6.8); null where the frame is too short.</summary>
    internal static int? LastStream(FrameHeader header, ReadOnlySpan<byte> frame) =>
        header.Length >= 8 ? BinaryPrimitives.ReadInt32BigEndian(frame[FrameHeader.Size..]) & 0x7FFF_FFFF : null;

    /// <summary>What a caller is told by RST_STREAM (gRPC over HTTP/2, "Errors").</summary>
    internal static GrpcCode CodeOfReset(FrameHeader header, ReadOnlySpan<byte> frame) =>
        header.Length == 4 ? CodeOf(Error(frame)) : GrpcCode.Internal;

    /// <summary>The error code of RST_STREAM, or of GOAWAY behind its last stream.</summary>
    internal static ErrorCode Error(ReadOnlySpan<byte> frame, int offset = 0) =>
        (ErrorCode)BinaryPrimitives.ReadUInt32BigEndian(frame[(FrameHeader.Size + offset)..]);

    /// <summary>As gRPC over HTTP/2 has it, "Errors".</summary>
    internal static GrpcCode CodeOf(ErrorCode error) => error switch
    {
        ErrorCode.RefusedStream => GrpcCode.Unavailable,
        ErrorCode.Cancel => GrpcCode.Cancelled,
        ErrorCode.EnhanceYourCalm => GrpcCode.ResourceExhausted,
        ErrorCode.InadequateSecurity => GrpcCode.PermissionDenied,
        _ => GrpcCode.Internal,
    };

    private static ReadOnlySpan<byte> Unpadded(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (!header.Has(FrameFlags.Padded))
            return payload;
        if (payload.IsEmpty || payload[0] >= payload.Length)
            throw new Http2ProtocolException(ErrorCode.ProtocolError, "a frame is padded beyond its end");
        return payload[1..^payload[0]];
    }

    private static byte[] OfUInt32(FrameType type, int stream, uint value)
    {
        Span<byte> payload = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(payload, value);
        return Of(type, FrameFlags.None, stream, payload);
    }
}
