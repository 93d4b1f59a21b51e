using System.Buffers.Binary;
using System.Text;

namespace ImageCriShim.Tests.Fakes;

/// <summary>Frame types of RFC 9113 section 6; other values are legal on the wire and kept as they are.</summary>
public enum FrameType : byte
{
    Data = 0, Headers = 1, Priority = 2, RstStream = 3, Settings = 4, PushPromise = 5, Ping = 6, GoAway = 7, WindowUpdate = 8,
    Continuation = 9,
}

/// <summary>Flags of RFC 9113 section 6. Bit 0 is END_STREAM on streams and ACK on SETTINGS and PING.</summary>
[Flags]
public enum FrameFlags : byte
{
    None = 0, EndStream = 0x1, Ack = EndStream, EndHeaders = 0x4, Padded = 0x8, Priority = 0x20,
}

/// <summary>Error codes of RFC 9113 section 7.</summary>
public enum Http2Error : uint
{
    NoError = 0, ProtocolError = 1, InternalError = 2, FlowControlError = 3, SettingsTimeout = 4, StreamClosed = 5, FrameSizeError = 6,
    RefusedStream = 7, Cancel = 8, CompressionError = 9, ConnectError = 10, EnhanceYourCalm = 11,
}

/// <summary>Settings of RFC 9113 section 6.5.2.</summary>
public enum Http2Setting : ushort
{
    HeaderTableSize = 1, EnablePush = 2, MaxConcurrentStreams = 3, InitialWindowSize = 4, MaxFrameSize = 5, MaxHeaderListSize = 6,
}

/// <summary>
/// One HTTP/2 frame as it is on the wire. It is the oracle of the relay's tests, so it shares nothing with the relay and checks nothing:
/// any frame, legal or not, can be built.
/// </summary>
public sealed record Frame(FrameType Type, FrameFlags Flags, int Stream, byte[] Payload)
{
    public const int HeaderLength = 9;

    public bool Has(FrameFlags flag) => (Flags & flag) == flag;

    public bool EndsStream => Type is FrameType.Data or FrameType.Headers && Has(FrameFlags.EndStream);

    /// <summary>The first four bytes as a number: an error code, a window increment, a promised stream.</summary>
    public uint Number => BinaryPrimitives.ReadUInt32BigEndian(Payload);

    /// <summary>The payload of DATA and HEADERS without padding and priority fields (RFC 9113 sections 6.1 and 6.2).</summary>
    public ReadOnlySpan<byte> Body
    {
        get
        {
            var body = Payload.AsSpan();
            if (Type is not (FrameType.Data or FrameType.Headers)) return body;
            if (Has(FrameFlags.Padded)) body = body[1..^body[0]];
            return Type == FrameType.Headers && Has(FrameFlags.Priority) ? body[5..] : body;
        }
    }

    public IEnumerable<(Http2Setting Id, uint Value)> Settings
    {
        get
        {
            for (var at = 0; at + 6 <= Payload.Length; at += 6)
                yield return ((Http2Setting)BinaryPrimitives.ReadUInt16BigEndian(Payload.AsSpan(at)),
                    BinaryPrimitives.ReadUInt32BigEndian(Payload.AsSpan(at + 2)));
        }
    }

    public byte[] ToBytes()
    {
        var bytes = new byte[HeaderLength + Payload.Length];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)Payload.Length << 8 | (byte)Type);
        bytes[4] = (byte)Flags;
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(5), Stream);
        Payload.CopyTo(bytes, HeaderLength);
        return bytes;
    }

    public static Frame Data(int stream, ReadOnlySpan<byte> body, bool end = false, int? padding = null)
    {
        var (payload, flag) = Pad(body, padding);
        return new(FrameType.Data, flag | (end ? FrameFlags.EndStream : 0), stream, payload);
    }

    public static Frame Headers(int stream, ReadOnlySpan<byte> block, bool end = false, bool endHeaders = true, int? padding = null,
        PriorityFields? priority = null)
    {
        byte[] body = priority is { } fields ? [.. fields.ToBytes(), .. block] : block.ToArray();
        var (payload, flag) = Pad(body, padding);
        if (end) flag |= FrameFlags.EndStream;
        if (endHeaders) flag |= FrameFlags.EndHeaders;
        if (priority is not null) flag |= FrameFlags.Priority;
        return new(FrameType.Headers, flag, stream, payload);
    }

    public static Frame Continuation(int stream, ReadOnlySpan<byte> block, bool endHeaders = true) =>
        new(FrameType.Continuation, endHeaders ? FrameFlags.EndHeaders : 0, stream, block.ToArray());

    /// <summary>HEADERS and as many CONTINUATION frames as the frame size asks for.</summary>
    public static Frame[] HeaderBlock(int stream, byte[] block, bool end = false, int maxFrameSize = 16384)
    {
        var pieces = block.Length == 0 ? [[]] : block.Chunk(maxFrameSize).ToArray();
        return [.. pieces.Select((piece, i) => i == 0
            ? Headers(stream, piece, end, endHeaders: pieces.Length == 1)
            : Continuation(stream, piece, endHeaders: i == pieces.Length - 1))];
    }

    public static Frame Priority(int stream, PriorityFields fields) => new(FrameType.Priority, 0, stream, fields.ToBytes());

    public static Frame RstStream(int stream, Http2Error error) => new(FrameType.RstStream, 0, stream, UInt32((uint)error));

    public static Frame SettingsOf(params (Http2Setting Id, uint Value)[] settings)
    {
        var payload = new byte[settings.Length * 6];
        for (var i = 0; i < settings.Length; i++)
        {
            BinaryPrimitives.WriteUInt16BigEndian(payload.AsSpan(i * 6), (ushort)settings[i].Id);
            BinaryPrimitives.WriteUInt32BigEndian(payload.AsSpan(i * 6 + 2), settings[i].Value);
        }

        return new(FrameType.Settings, 0, 0, payload);
    }

    public static Frame SettingsAck { get; } = new(FrameType.Settings, FrameFlags.Ack, 0, []);

    public static Frame Ping(ulong opaque, bool ack = false)
    {
        var payload = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(payload, opaque);
        return new(FrameType.Ping, ack ? FrameFlags.Ack : 0, 0, payload);
    }

    public static Frame GoAway(int lastStream, Http2Error error, string debug = "") =>
        new(FrameType.GoAway, 0, 0, [.. UInt32((uint)lastStream), .. UInt32((uint)error), .. Encoding.UTF8.GetBytes(debug)]);

    public static Frame WindowUpdate(int stream, int increment) => new(FrameType.WindowUpdate, 0, stream, UInt32((uint)increment));

    /// <summary>A readable line for failures: type, flags, stream, length and the first bytes.</summary>
    public override string ToString() =>
        $"{Type} flags={(byte)Flags:x2} stream={Stream} length={Payload.Length} {Convert.ToHexStringLower(Payload.AsSpan(0, Math.Min(24, Payload.Length)))}";

    public bool SameAs(Frame other) =>
        Type == other.Type && Flags == other.Flags && Stream == other.Stream && Payload.AsSpan().SequenceEqual(other.Payload);

    private static (byte[] Payload, FrameFlags Flag) Pad(ReadOnlySpan<byte> body, int? padding) =>
        padding is { } count ? ([(byte)count, .. body, .. new byte[count]], FrameFlags.Padded) : (body.ToArray(), 0);

    private static byte[] UInt32(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }
}

/// <summary>The deprecated priority signal of RFC 9113 section 5.3.2; peers still send it and nobody may choke on it.</summary>
public readonly record struct PriorityFields(int DependsOn, bool Exclusive = false, byte Weight = 15)
{
    public byte[] ToBytes()
    {
        var bytes = new byte[5];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)DependsOn | (Exclusive ? 0x8000_0000 : 0));
        bytes[4] = Weight;
        return bytes;
    }
}
