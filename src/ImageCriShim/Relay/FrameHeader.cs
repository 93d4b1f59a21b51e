using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace ImageCriShim.Relay;

/// <summary>RFC 9113 section 6.</summary>
internal enum FrameType : byte
{
    Data = 0,
    Headers = 1,
    Priority = 2,
    RstStream = 3,
    Settings = 4,
    PushPromise = 5,
    Ping = 6,
    GoAway = 7,
    WindowUpdate = 8,
    Continuation = 9,
}

/// <summary>RFC 9113 section 6; a bit means different things in different frame types.</summary>
[Flags]
[SuppressMessage("Design", "CA1069", Justification = "The RFC gives one bit two names.")]
internal enum FrameFlags : byte
{
    None = 0,
    EndStream = 0x1,
    Ack = 0x1,
    EndHeaders = 0x4,
    Padded = 0x8,
    Priority = 0x20,
}

/// <summary>RFC 9113 section 7.</summary>
internal enum ErrorCode : uint
{
    NoError = 0x0,
    ProtocolError = 0x1,
    FlowControlError = 0x3,
    FrameSizeError = 0x6,
    RefusedStream = 0x7,
    Cancel = 0x8,
    CompressionError = 0x9,
    EnhanceYourCalm = 0xb,
    InadequateSecurity = 0xc,
}

/// <summary>The nine octets before every payload (RFC 9113 section 4.1).</summary>
/// <param name="Length">Octets of the payload.</param>
/// <param name="StreamId">0 is the connection itself.</param>
internal readonly record struct FrameHeader(int Length, FrameType Type, FrameFlags Flags, int StreamId)
{
    internal const int Size = 9;

    internal bool Has(FrameFlags flag) => (Flags & flag) != 0;

    /// <summary>Whether this frame is the sender's last on its stream (RFC 9113 section 5.1).</summary>
    internal bool EndsStream => Type is FrameType.Data or FrameType.Headers && Has(FrameFlags.EndStream);

    internal static FrameHeader Read(ReadOnlySpan<byte> from) => new(
        (int)(BinaryPrimitives.ReadUInt32BigEndian(from) >> 8),
        (FrameType)from[3],
        (FrameFlags)from[4],
        (int)(BinaryPrimitives.ReadUInt32BigEndian(from[5..]) & 0x7FFF_FFFF)); // the reserved bit is ignored

    internal void Write(Span<byte> into)
    {
        BinaryPrimitives.WriteUInt32BigEndian(into, (uint)Length << 8 | (byte)Type);
        into[4] = (byte)Flags;
        BinaryPrimitives.WriteUInt32BigEndian(into[5..], (uint)StreamId);
    }
}
