using System.Net.Sockets;

namespace ImageCriShim.Relay;

/// <summary>
/// One direction of a connection: reads units from one peer and passes them to the other, byte for byte and as many at once as have
/// arrived. Runs on a thread of its own with blocking sockets.
/// </summary>
/// <param name="received">What has been read already.</param>
internal abstract class Pump(RelayConnection connection, Socket from, FrameWriter to, FlowLedger ledger, FrameBuffer? received = null)
{
    private readonly FrameBuffer _buffer = received ?? new();
    private int _offset; // the unit being looked at
    private int _runStart; // units from here to _offset are to be forwarded as they are
    private long _runData; // octets of theirs that flow control counts

    protected RelayConnection Connection { get; } = connection;

    /// <summary>Towards the receiver.</summary>
    protected FrameWriter To { get; } = to;

    /// <summary>Of the receiver's windows.</summary>
    protected FlowLedger Ledger { get; } = ledger;

    /// <summary>Whether the sender has begun as it must, with SETTINGS (RFC 9113 section 3.4).</summary>
    protected bool SettingsSeen { get; set; }

    /// <summary>Runs until the sender's side ends.</summary>
    /// <exception cref="Http2ProtocolException">The sender broke the protocol, or the receiver does not read.</exception>
    /// <exception cref="Hpack.HpackException">The sender's header block cannot be decoded.</exception>
    /// <exception cref="SocketException">A connection broke.</exception>
    internal void Run()
    {
        Begin(_buffer, from);
        do
            Pass();
        while (Read());
    }

    /// <summary>Outside of the gate: sends what has arrived. May block.</summary>
    protected virtual void Send(ReadOnlySpan<byte> run) => To.Send(run);

    /// <summary>What comes before the first frame.</summary>
    protected virtual void Begin(FrameBuffer buffer, Socket socket)
    {
    }

    /// <summary>Under the gate, when everything that has arrived was looked at.</summary>
    protected virtual void EndPass()
    {
    }

    /// <summary>Outside of the gate, before what has arrived goes on.</summary>
    protected virtual void BeforeSend()
    {
    }

    /// <summary>Outside of the gate, when what has arrived is on its way.</summary>
    protected virtual void AfterPass()
    {
    }

    /// <summary>
    /// Looks at one unit under the gate. A pump that puts something of its own into its direction calls <see cref="AppendRun"/> first.
    /// </summary>
    /// <returns>True: forwarded as it is. False: dealt with.</returns>
    protected abstract bool Forwards(FrameHeader header, ReadOnlySpan<byte> unit);

    /// <summary>Puts what is to be forwarded so far behind what was appended before.</summary>
    protected void AppendRun()
    {
        var run = TakeRun();
        if (!run.IsEmpty)
            To.Append(run);
    }

    /// <summary>The peer that we read from opened a window of its own.</summary>
    /// <param name="back">Of what is sent back to that peer.</param>
    /// <param name="shared">The last phase in which the other peer sends on a taken stream as well, and needs the same room.</param>
    protected bool ForwardsWindowUpdate(FrameHeader header, ReadOnlySpan<byte> frame, FlowLedger back, TakenPhase shared)
    {
        var increment = Frames.Increment(header, frame);
        if (header.StreamId != 0)
        {
            var isOurs = back.OnStreamWindowUpdate(header.StreamId, increment);
            return Connection.Taken.TryGet(header.StreamId, out var taken)
                ? taken.Phase <= shared
                : !isOurs && !Connection.Taken.Answered.Contains(header.StreamId);
        }

        if (increment == 0)
            return true; // an error (RFC 9113 section 6.9), and the receiver's to complain about
        var share = back.OnConnectionWindowUpdate(increment);
        if (share == increment)
            return true;
        AppendRun();
        if (share > 0)
            To.Append(Frames.WindowUpdate(0, share));
        return false;
    }

    private bool Read()
    {
        try
        {
            return _buffer.Fill(from);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset)
        {
            return false; // it closed before it had read everything: no less an end
        }
    }

    private void Pass()
    {
        ReadOnlySpan<byte> run;
        lock (Connection.Gate)
        {
            (_offset, _runStart, _runData) = (0, 0, 0);
            while (true)
            {
                if (SettingsSeen && Connection.Taken.IsEmpty && Connection is { Farewell.IsHeard: false, Departure.IsAnnounced: false })
                    _offset = _buffer.SkipData(_offset, ref _runData);
                if (!_buffer.TryPeek(_offset, out var header, out var length))
                    break;
                PassUnit(header, length);
            }

            EndPass();
            run = TakeRun(); // not copied: it goes from the buffer to the socket
            if (Ledger.TakeDue() is > 0 and var credit)
                Connection.OtherThan(To).Append(Frames.WindowUpdate(0, credit));
        }

        BeforeSend();
        Send(run);
        _buffer.Consume(_offset);
        Connection.OtherThan(To).FlushSoon();
        AfterPass();
    }

    private void PassUnit(FrameHeader header, int length)
    {
        var forwards = Forwards(header, _buffer.Unread.Slice(_offset, length));
        if (forwards && header.Type is FrameType.Data)
            _runData += header.Length;
        else if (!forwards)
            AppendRun(); // a unit that is dealt with is not part of any run
        _offset += length;
        if (!forwards)
            _runStart = _offset;
    }

    private ReadOnlySpan<byte> TakeRun()
    {
        var run = _buffer.Unread[_runStart.._offset];
        _runStart = _offset;
        var data = _runData;
        _runData = 0;
        if (run.IsEmpty || Ledger.TryForward(data))
            return run;
        ForwardOneByOne(run);
        return [];
    }

    private void ForwardOneByOne(ReadOnlySpan<byte> run)
    {
        while (!run.IsEmpty)
        {
            var header = FrameHeader.Read(run);
            var length = FrameHeader.Size + header.Length;
            if (header.Type is FrameType.Headers && !header.Has(FrameFlags.EndHeaders))
                length = run.Length - AfterContinuations(run[length..]).Length;
            Ledger.Forward(header, run[..length]);
            run = run[length..];
        }
    }

    private static ReadOnlySpan<byte> AfterContinuations(ReadOnlySpan<byte> rest)
    {
        FrameHeader header;
        do
        {
            header = FrameHeader.Read(rest);
            rest = rest[(FrameHeader.Size + header.Length)..];
        }
        while (!header.Has(FrameFlags.EndHeaders));
        return rest;
    }
}
