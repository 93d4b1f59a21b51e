using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Relay;

/// <summary>
/// Does to some of the frames that pass whatever can be done to a frame. What breaks the framing, and so ends a connection, is done
/// seldom: a dead connection learns nothing more.
/// </summary>
internal sealed class FrameMutator(Random random)
{
    private Frame? _delayed;

    /// <summary>Frames changed, added, left out or moved so far.</summary>
    internal int Mutated { get; private set; }

    /// <summary>The octets to send for a frame.</summary>
    internal byte[] Pass(Frame frame)
    {
        // A header block that the encoder's peer never sees spoils all later ones.
        var chance = frame.Type is FrameType.Headers or FrameType.Continuation ? 0.05 : 0.6;
        if (random.NextDouble() >= chance)
            return After(frame.ToBytes());
        Mutated++;
        return random.Next(600) == 0 ? BreakFraming(frame.ToBytes()) : After(Mutate(frame));
    }

    private byte[] Mutate(Frame frame)
    {
        switch (random.Next(12))
        {
            case 0:
                return (frame with { Payload = Flip(frame.Payload) }).ToBytes();
            case 1:
                return (frame with { Flags = frame.Flags ^ AnyFlag() }).ToBytes();
            case 2:
                return Resized(frame with { Stream = AnyStream(frame.Stream) });
            case 3:
                return Resized(frame with { Type = AnyType() });
            case 4:
                return [.. frame.ToBytes(), .. frame.ToBytes()];
            case 5:
                return [];
            case 6:
                _delayed = frame;
                return [];
            case 7:
                return Resized(frame with { Payload = frame.Payload[..random.Next(frame.Payload.Length + 1)] });
            case 8:
                return Resized(frame with { Payload = [.. frame.Payload, .. Octets(random.Next(30))] });
            case 9:
                return [.. frame.ToBytes(), .. Resized(new Frame(AnyType(), (FrameFlags)random.Next(256), AnyStream(1), Octets(random.Next(40))))];
            case 10:
                return [.. frame.ToBytes(), .. Legal().ToBytes()];
            default:
                return frame.Type is FrameType.Data ? Frame.Data(frame.Stream, frame.Payload, frame.EndsStream, random.Next(256)).ToBytes() : Legal().ToBytes();
        }
    }

    // Most of the time with the length and the stream that its type demands, so that it gets past the first checks.
    private byte[] Resized(Frame frame)
    {
        if (frame.Type is FrameType.Settings && random.Next(200) > 0)
            frame = frame with { Stream = 0 };
        int? length = frame.Type switch
        {
            FrameType.WindowUpdate or FrameType.RstStream => 4,
            FrameType.Settings => frame.Payload.Length / 6 * 6,
            FrameType.Ping => 8,
            FrameType.Priority => 5,
            _ => null,
        };
        var type = frame.Type is FrameType.Continuation or FrameType.PushPromise or FrameType.Headers && random.Next(20) > 0 ? FrameType.Data : frame.Type;
        return (length is { } due && random.Next(300) > 0
            ? frame with { Payload = [.. frame.Payload.Take(due), .. new byte[Math.Max(0, due - frame.Payload.Length)]] }
            : frame with { Type = type }).ToBytes();
    }

    // Allowed, and seldom seen.
    private Frame Legal() => random.Next(9) switch
    {
        0 => Frame.Data(AnyStream(1), [], end: random.Next(2) == 0),
        1 => Frame.Data(AnyStream(1), [], padding: random.Next(256)),
        2 => Frame.WindowUpdate(AnyStream(0), random.Next(3) == 0 ? int.MaxValue : random.Next(100_000)),
        3 => Frame.SettingsOf((Http2Setting.InitialWindowSize, (uint)random.Next(200_000))),
        4 => Frame.SettingsOf((Http2Setting.HeaderTableSize, (uint)random.Next(100_000)), (Http2Setting.MaxFrameSize, (uint)random.Next(16_384, 1 << 24))),
        5 => Frame.Priority(AnyStream(1), new PriorityFields(random.Next(100), true)),
        6 => Frame.RstStream(AnyStream(1), (Http2Error)random.Next(14)),
        7 => Frame.GoAway(random.Next(100), Http2Error.NoError),
        _ => Frame.SettingsOf((Http2Setting.InitialWindowSize, random.Next(2) == 0 ? 0 : (uint)random.NextInt64(1L << 32))),
    };

    private byte[] BreakFraming(byte[] octets)
    {
        switch (random.Next(3))
        {
            case 0:
                octets[random.Next(3)] ^= (byte)(1 << random.Next(8)); // the length lies
                return octets;
            case 1:
                return octets[..random.Next(octets.Length)];
            default:
                return Octets(random.Next(1, 100));
        }
    }

    private byte[] After(byte[] octets)
    {
        if (_delayed is not { } delayed || octets.Length == 0)
            return octets;
        _delayed = null;
        return [.. octets, .. delayed.ToBytes()];
    }

    private byte[] Flip(byte[] payload)
    {
        var flipped = payload.ToArray();
        for (var i = random.Next(1, 4); i > 0 && flipped.Length > 0; i--)
            flipped[random.Next(flipped.Length)] ^= (byte)(1 << random.Next(8));
        return flipped;
    }

    private int AnyStream(int near) => random.Next(5) switch
    {
        0 => 0,
        1 => Math.Max(0, near + random.Next(-6, 7)),
        2 => random.Next(1, 200),
        3 => random.Next(int.MaxValue),
        _ => near,
    };

    // Cutting header blocks and lying of padding end a connection soon.
    private FrameFlags AnyFlag()
    {
        var flag = (FrameFlags)(1 << random.Next(8));
        return flag is FrameFlags.EndHeaders or FrameFlags.Padded && random.Next(30) > 0 ? FrameFlags.EndStream : flag;
    }

    private FrameType AnyType() => (FrameType)(random.Next(4) == 0 ? random.Next(256) : random.Next(10));

    private byte[] Octets(int count)
    {
        var octets = new byte[count];
        random.NextBytes(octets);
        return octets;
    }
}
