using System.Net.Sockets;
using ImageCriShim.Relay.Hpack;

namespace ImageCriShim.Relay;

/// <summary>From the caller to the runtime: learns which call each stream is, and takes the edited ones over.</summary>
/// <param name="received">Of a caller that had to wait, and has got SETTINGS of ours.</param>
internal sealed class CallerPump(
    RelayConnection connection, Socket caller, FrameWriter toRuntime, FlowLedger runtimeLedger, FrameBuffer? received)
    : Pump(connection, caller, toRuntime, runtimeLedger, received)
{
    private readonly HpackDecoder _decoder = new(RelayLimits.HeaderListBytes);
    private readonly List<HeaderField> _fields = [];
    private readonly RequestHeaderWriter _rewriter = new();
    private bool _rewriting; // the runtime's dynamic table no longer follows the caller's encoder
    private int _lastStream;
    private bool _owesAck = received is not null; // of our SETTINGS: the runtime knows nothing of them
    private bool _hasRequest; // among what is being passed on

    /// <summary>The connection's gate is held, as by this pump.</summary>
    internal bool HasCalled => _lastStream > 0;

    /// <summary>The newest call. The connection's gate is held.</summary>
    internal int LastStream => _lastStream;

    private TakenStreams Taken => Connection.Taken;

    /// <summary>The runtime lets the caller's encoder use a table of this size.</summary>
    internal void RaiseTableSizeLimit(int limit) => _decoder.RaiseTableSizeLimit(limit);

    protected override void Begin(FrameBuffer buffer, Socket socket)
    {
        while (buffer.Unread.Length < Frames.Preface.Length)
        {
            if (!Frames.Preface.StartsWith(buffer.Unread))
                throw new Http2ProtocolException(ErrorCode.ProtocolError, "the caller does not speak HTTP/2");
            if (!buffer.Fill(socket))
                return;
        }

        if (!buffer.Unread.StartsWith(Frames.Preface))
            throw new Http2ProtocolException(ErrorCode.ProtocolError, "the caller does not speak HTTP/2");
        To.Append(Frames.Preface);
        buffer.Consume(Frames.Preface.Length);
    }

    protected override void EndPass()
    {
        if (_hasRequest && Connection.TakeBandwidthAck())
        {
            AppendRun(); // with the request in one go: two would wake the runtime twice
            To.Append(Frames.Of(FrameType.Ping, FrameFlags.Ack, 0, Frames.BandwidthPing));
        }

        _hasRequest = false;
        Connection.Departure.Settle();
    }

    // The runtime's own pump reads to the end what it has said before it went, and sees to the rest.
    protected override void Send(ReadOnlySpan<byte> run)
    {
        try
        {
            base.Send(run);
        }
        catch (SocketException)
        {
            To.Discard();
        }
    }

    // First, so that both answers have come when the first one is looked at.
    protected override void BeforeSend()
    {
        while (Taken.TakeAskingAhead() is { } call)
            call.AskAhead();
    }

    protected override bool Forwards(FrameHeader header, ReadOnlySpan<byte> unit)
    {
        if (!SettingsSeen && header.Type is not FrameType.Settings)
            throw new Http2ProtocolException(ErrorCode.ProtocolError, "the caller's first frame is not SETTINGS (RFC 9113 section 3.4)");
        return IsForRuntime(header, unit) && !Connection.Departure.IsGone;
    }

    private bool IsForRuntime(FrameHeader header, ReadOnlySpan<byte> unit) => header.Type switch
    {
        FrameType.Headers => ForwardsHeaders(header, unit),
        FrameType.Data => ForwardsData(header, unit),
        FrameType.RstStream => ForwardsReset(header.StreamId),
        FrameType.WindowUpdate => ForwardsCallerWindowUpdate(header, unit),
        FrameType.Settings => header.Has(FrameFlags.Ack) ? ForwardsSettingsAck() : ForwardsSettings(header, unit),
        FrameType.Ping => header.Has(FrameFlags.Ack) ? ForwardsPingAck(unit) : ForwardsPing(header, unit),
        FrameType.PushPromise => throw new Http2ProtocolException(ErrorCode.ProtocolError, "the caller pushes (RFC 9113 section 8.4)"),
        _ => true,
    };

    private bool ForwardsHeaders(FrameHeader header, ReadOnlySpan<byte> unit)
    {
        _hasRequest = true;
        // Every block is decoded, whatever becomes of it: the next one may refer to it (RFC 7541 section 2.2).
        _decoder.Decode(Frames.HeaderBlock(header, unit), _fields);
        if (Taken.Answered.Contains(header.StreamId) || IsTooLate(header.StreamId))
        {
            _rewriting = true; // the runtime's table will not see this block
            if (Connection.Departure.IsTooLate(header.StreamId) && header.StreamId > _lastStream)
                Connection.Departure.Refuse(_lastStream = header.StreamId);
            return false;
        }

        if (Taken.TryGet(header.StreamId, out var stream))
        {
            Trail(header, stream);
            return false;
        }

        var opens = header.StreamId > _lastStream;
        var route = opens ? Open(header) : default;
        if (opens && Taken.Answered.Contains(header.StreamId))
        {
            _rewriting = true; // as above: it was refused
            return false;
        }

        if (!opens)
            AppendRun(); // so that the ledger has seen the stream's data
        _rewriting |= !opens && Ledger.Parks(header.StreamId); // trailers that wait must not be what the next blocks depend on
        if (!_rewriting)
            return true;
        AppendRun();
        Ledger.Forward(header, _rewriter.Write(header, _fields, route).Span);
        return false;
    }

    private CallRoute Open(FrameHeader header)
    {
        _lastStream = header.StreamId;
        var path = Find(":path"u8);
        var route = path.IsEmpty ? default : Connection.Route(path.Span, _fields);
        Connection.Calls.Open(header.StreamId, Connection.Counts.Of(path.Span), route.IsStream);
        // A request without a body is nothing that can be edited.
        if (header.EndsStream || (route.Call is not null && !TryTake(header.StreamId, route.Call)))
            route = route with { Call = null };
        _rewriting |= !route.Path.IsEmpty || (route.Call is not null && !Find("content-length"u8).IsEmpty);
        return route;
    }

    private bool TryTake(int stream, EditedCall call)
    {
        if (!call.IsRefused && Taken.TryAdd(stream, call))
            return true;
        if (call.RefuseUnread() is { } refusal)
            Refuse(stream, call, refusal);
        return false;
    }

    /// <summary>A call that must not be forwarded unread: the runtime never hears of it.</summary>
    private void Refuse(int stream, EditedCall call, StreamAnswer refusal)
    {
        Connection.CallerLedger.Own(stream);
        refusal.Send(new TakenStream(stream, call), Connection.CallerLedger);
        call.OnEnd();
        Connection.Calls.End(stream, refusal.Code);
        Taken.Answered.Add(stream);
    }

    // Trailers of a request mean nothing to gRPC and no caller of ours sends any: those of an edited call count for its end alone.
    private void Trail(FrameHeader header, TakenStream stream)
    {
        if (!header.EndsStream)
            throw new Http2ProtocolException(ErrorCode.ProtocolError, "headers within a request (RFC 9113 section 8.1)");
        AppendRun();
        _rewriting = true; // the runtime's table will not see this block
        Taken.Collect(stream, [], endsStream: true);
    }

    private bool ForwardsData(FrameHeader header, ReadOnlySpan<byte> frame)
    {
        if (Connection.Calls.HasStreams)
            Connection.Calls.OnMessage(header.StreamId);
        if (!Taken.TryGet(header.StreamId, out var stream))
        {
            if (!Taken.Answered.Contains(header.StreamId) && !IsTooLate(header.StreamId))
                return true;
            Taken.CreditCaller(header, stream: null);
            return false;
        }

        AppendRun();
        Taken.CreditCaller(header, stream);
        Taken.Collect(stream, Frames.Data(header, frame), header.EndsStream);
        return false;
    }

    private bool ForwardsReset(int stream)
    {
        Connection.Calls.End(stream, GrpcCode.Cancelled);
        return Taken.ForwardsCallerReset(stream) && !IsTooLate(stream);
    }

    private bool IsTooLate(int stream) => Connection.Farewell.IsTooLate(stream) || Connection.Departure.IsTooLate(stream);

    private bool ForwardsCallerWindowUpdate(FrameHeader header, ReadOnlySpan<byte> frame)
    {
        if (IsTooLate(header.StreamId))
            return false;
        Taken.OnCallerWindowUpdate(header.StreamId, Frames.Increment(header, frame));
        return ForwardsWindowUpdate(header, frame, Connection.CallerLedger, TakenPhase.Watching);
    }

    /// <summary>
    /// grpc-go and C core measure the bandwidth with a PING behind DATA. A grpc-go runtime closes a connection for the third PING
    /// since it sent anything itself, so those behind DATA of ours are answered here, and those of a caller that waits for us alone; other
    /// keepalive is the runtime's.
    /// </summary>
    private bool ForwardsPing(FrameHeader header, ReadOnlySpan<byte> frame)
    {
        if (!Connection.CallerLedger.TakeHasSent() && !Connection.Departure.AnswersPings)
        {
            Connection.Departure.OnPing(frame[FrameHeader.Size..]);
            return true;
        }

        Connection.ToCaller.Append(Frames.Of(FrameType.Ping, FrameFlags.Ack, 0, frame[FrameHeader.Size..]));
        return false;
    }

    private bool ForwardsPingAck(ReadOnlySpan<byte> frame) =>
        !Connection.Farewell.TryHear(frame[FrameHeader.Size..], Connection.Departure.LastOf(_lastStream));

    private bool ForwardsSettings(FrameHeader header, ReadOnlySpan<byte> frame)
    {
        AppendRun();
        var settings = SettingsFrame.Parse(header, frame);
        if (settings.Find(SettingsFrame.InitialWindowSize) is { } size)
            Taken.OnCallerInitialWindowSize(size);
        // So each header block of the runtime stands alone and can be held, dropped or replaced.
        settings.Set(SettingsFrame.HeaderTableSize, 0, evenIfAbsent: !SettingsSeen);
        settings.Lower(SettingsFrame.MaxFrameSize, RelayLimits.FrameBytes);
        SettingsSeen = true;
        To.Append(settings.Encode());
        if (Connection.Departure.IsGone)
            Connection.ToCaller.Append(Frames.Of(FrameType.Settings, FrameFlags.Ack, 0, []));
        return false;
    }

    private bool ForwardsSettingsAck()
    {
        var isOfRuntime = !_owesAck;
        _owesAck = false;
        return isOfRuntime;
    }

    private ReadOnlyMemory<byte> Find(ReadOnlySpan<byte> name)
    {
        foreach (var field in _fields)
        {
            if (field.IsNamed(name))
                return field.Value;
        }

        return default;
    }
}
