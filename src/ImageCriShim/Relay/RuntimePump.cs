using System.Net.Sockets;

namespace ImageCriShim.Relay;

/// <summary>From the runtime to the caller: holds the answers of watched calls, drops what the runtime says of calls that we answer.</summary>
internal sealed class RuntimePump(RelayConnection connection, Socket runtime, FrameWriter toCaller, FlowLedger callerLedger)
    : Pump(connection, runtime, toCaller, callerLedger)
{

    private TakenStreams Taken => Connection.Taken;

    protected override bool Forwards(FrameHeader header, ReadOnlySpan<byte> unit)
    {
        if (!SettingsSeen && header.Type is not FrameType.Settings)
            throw new Http2ProtocolException(ErrorCode.ProtocolError, "the runtime's first frame is not SETTINGS (RFC 9113 section 3.4)");
        return header.Type switch
        {
            FrameType.Settings when !header.Has(FrameFlags.Ack) => ForwardsSettings(header, unit),
            FrameType.WindowUpdate => ForwardsWindowUpdate(header, unit, Connection.RuntimeLedger, TakenPhase.Collecting),
            FrameType.RstStream => Taken.ForwardsRuntimeReset(header.StreamId),
            FrameType.Headers => ForwardsHeaders(header, unit),
            FrameType.Data => ForwardsData(header, unit),
            _ => true,
        };
    }

    private bool ForwardsHeaders(FrameHeader header, ReadOnlySpan<byte> unit)
    {
        if (!Taken.TryGet(header.StreamId, out var stream))
            return !Taken.IsAnswered(header.StreamId);
        if (stream.Phase is TakenPhase.Answering)
            return false;
        AppendRun();
        Taken.HoldHeaders(stream, Frames.HeaderBlock(header, unit), header.EndsStream);
        return false;
    }

    private bool ForwardsData(FrameHeader header, ReadOnlySpan<byte> frame)
    {
        if (!Taken.TryGet(header.StreamId, out var stream))
        {
            if (!Taken.IsAnswered(header.StreamId))
                return true;
            Taken.CreditRuntime(header, stream: null);
            return false;
        }

        AppendRun();
        Taken.CreditRuntime(header, stream);
        Taken.Hold(stream, Frames.Data(header, frame), header.EndsStream);
        return false;
    }

    private bool ForwardsSettings(FrameHeader header, ReadOnlySpan<byte> frame)
    {
        AppendRun();
        var settings = SettingsFrame.Parse(header, frame);
        if (settings.Find(SettingsFrame.InitialWindowSize) is { } size)
            Taken.OnRuntimeInitialWindowSize(size);
        settings.Lower(SettingsFrame.HeaderTableSize, RelayLimits.HeaderTableBytes);
        if (settings.Find(SettingsFrame.HeaderTableSize) is { } tableSize)
            Connection.RaiseTableSizeLimit(tableSize);
        settings.Lower(SettingsFrame.MaxFrameSize, RelayLimits.FrameBytes);
        if (SettingsSeen)
            To.Append(settings.Encode());
        else
            To.OpenWith(settings.Encode());
        SettingsSeen = true;
        return false;
    }
}
