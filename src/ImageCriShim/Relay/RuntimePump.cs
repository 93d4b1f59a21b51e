using System.Buffers;
using System.Net.Sockets;
using ImageCriShim.Relay.Hpack;

namespace ImageCriShim.Relay;

/// <summary>From the runtime to the caller: holds the answers of watched calls, drops what the runtime says of calls that we answer.</summary>
internal sealed class RuntimePump(RelayConnection connection, Socket runtime, FrameWriter toCaller, FlowLedger callerLedger)
    : Pump(connection, runtime, toCaller, callerLedger)
{
    private bool _updateKept; // the block that began with the table size update did not go to the caller, not at once at least

    private TakenStreams Taken => Connection.Taken;

    protected override bool Forwards(FrameHeader header, ReadOnlySpan<byte> unit)
    {
        if (!SettingsSeen && header.Type is not FrameType.Settings)
            throw new Http2ProtocolException(ErrorCode.ProtocolError, "the runtime's first frame is not SETTINGS (RFC 9113 section 3.4)");
        return header.Type switch
        {
            FrameType.Settings when !header.Has(FrameFlags.Ack) => ForwardsSettings(header, unit),
            FrameType.WindowUpdate => ForwardsWindowUpdate(header, unit, Connection.RuntimeLedger, TakenPhase.Collecting),
            FrameType.RstStream => ForwardsReset(header, unit),
            FrameType.Headers => ForwardsHeaders(header, unit),
            FrameType.Data => ForwardsData(header, unit),
            FrameType.GoAway => ForwardsGoAway(header, unit),
            FrameType.Ping => header.Has(FrameFlags.Ack) ? ForwardsPingAck(unit) : ForwardsPing(unit),
            _ => true,
        };
    }

    protected override void AfterPass() => Connection.AnswerWatched();

    /// <summary>
    /// A grpc-go runtime measures the bandwidth with a PING behind almost every request. Answered by the caller it wakes everybody on the way
    /// twice for each call; the shim is a hop as well (RFC 9113 section 6.7), and answers with the next request.
    /// </summary>
    private bool ForwardsPing(ReadOnlySpan<byte> frame) =>
        !frame[FrameHeader.Size..].SequenceEqual(Frames.BandwidthPing) || !Connection.TryOweBandwidthAck();

    private bool ForwardsPingAck(ReadOnlySpan<byte> frame)
    {
        Connection.Departure.OnPingAck(frame[FrameHeader.Size..]);
        return true;
    }

    /// <summary>The caller hears it; calls of ours that the runtime knows nothing of go on (<see cref="RuntimeDeparture"/>).</summary>
    private bool ForwardsGoAway(FrameHeader header, ReadOnlySpan<byte> frame)
    {
        if (Frames.LastStream(header, frame) is not { } last)
            return true; // the caller's to complain about
        AppendRun();
        To.Append(frame);
        Connection.Departure.OnGoAway(last);
        return false;
    }

    private bool ForwardsReset(FrameHeader header, ReadOnlySpan<byte> unit)
    {
        if (!Taken.ForwardsRuntimeReset(header.StreamId))
            return false;
        Connection.Calls.End(header.StreamId, Frames.CodeOfReset(header, unit));
        return true;
    }

    private bool ForwardsHeaders(FrameHeader header, ReadOnlySpan<byte> unit)
    {
        if (!Taken.TryGet(header.StreamId, out var stream) && !Taken.Answered.Contains(header.StreamId))
        {
            if (header.EndsStream)
                Connection.Calls.End(header.StreamId, AnswerHeaders.FindCode(Frames.HeaderBlock(header, unit)));
            else
                Connection.Calls.Begin(header.StreamId);
            return !_updateKept || Announce(header, Frames.HeaderBlock(header, unit));
        }

        var block = Frames.HeaderBlock(header, unit);
        _updateKept |= HpackEncoder.BeginsWithTableSize(block);
        if (stream is null or { Phase: TakenPhase.Answering })
            return false;
        AppendRun();
        Taken.HoldHeaders(stream, block, header.EndsStream);
        return false;
    }

    /// <summary>
    /// The runtime tells of its empty table at the front of its first block, once, and a caller that lowered its own table's size
    /// insists on it (RFC 7541 section 4.2). If that block was kept here, the next one that is forwarded brings the update.
    /// </summary>
    private bool Announce(FrameHeader header, ReadOnlySpan<byte> block)
    {
        _updateKept = false;
        AppendRun();
        var told = new ArrayBufferWriter<byte>(block.Length + 1);
        HpackEncoder.WriteTableSizeZero(told);
        told.Write(block);
        var frames = new ArrayBufferWriter<byte>(told.WrittenCount + FrameHeader.Size);
        Frames.WriteHeaders(frames, header.StreamId, told.WrittenSpan, header.EndsStream);
        Ledger.Forward(header, frames.WrittenSpan);
        return false;
    }

    private bool ForwardsData(FrameHeader header, ReadOnlySpan<byte> frame)
    {
        if (Connection.Calls.HasStreams)
            Connection.Calls.OnMessage(header.StreamId);
        if (!Taken.TryGet(header.StreamId, out var stream))
        {
            if (!Taken.Answered.Contains(header.StreamId))
            {
                if (header.EndsStream)
                    Connection.Calls.End(header.StreamId, GrpcCode.Unknown); // an answer without trailers says nothing
                return true;
            }

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
