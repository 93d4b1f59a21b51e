using System.Buffers;

namespace ImageCriShim.Relay;

/// <summary>
/// What may be sent to one receiver (RFC 9113 sections 5.2 and 6.9) when two share its windows: the sender at the far end, whose
/// frames are forwarded, and the shim, who owns some streams. Deterministic, no I/O; the connection's gate is held around every call.
/// </summary>
/// <remarks>
/// The sender knows nothing of us. It holds its view of the connection window:
/// <code>view = window + balance - parked</code>
/// <c>window</c> is the receiver's true one. <c>balance</c> above 0 is our debt: octets that we sent and that the receiver's next
/// WINDOW_UPDATEs repay before the sender hears of them; below 0 it is credit that we owe the sender for octets that we took and did not
/// send on. <c>parked</c> octets came while a debt was open and did not fit. Taking a message and sending as much in its place costs nothing.
/// </remarks>
internal sealed class FlowLedger(FrameWriter output)
{
    internal const int DefaultWindow = 65_535; // RFC 9113 section 6.9.2

    // Owed to the sender before it is paid out. Far below the smallest connection window, so no sender starves for it; above 0, so that
    // the usual small message costs no frame.
    private const int MaxOwed = 4096;

    // A sender with this much room goes on without what it is owed for octets that we took: they are usually sent on a moment later, and
    // then nothing is owed.
    private const int Enough = DefaultWindow / 2;

    private readonly Dictionary<int, OutgoingStream> _outgoing = [];
    private long _window = DefaultWindow;
    private long _balance;
    private int _parked; // streams with forwarded frames that wait
    private bool _hasSent; // data of ours

    /// <summary>The receiver's SETTINGS_INITIAL_WINDOW_SIZE.</summary>
    internal int InitialStreamWindow { get; private set; } = DefaultWindow;

    /// <summary>The fast way: takes the room for forwarded frames with this much DATA (padding included) in one go.</summary>
    /// <returns>False where the frames must go one by one, by <see cref="Forward"/>.</returns>
    internal bool TryForward(long dataOctets)
    {
        if (_parked > 0 || (_balance > 0 && dataOctets > _window))
            return false;
        _window -= dataOctets;
        return true;
    }

    /// <summary>Appends a forwarded unit to the output, or parks what does not fit, in order within its stream.</summary>
    internal void Forward(FrameHeader header, ReadOnlySpan<byte> unit)
    {
        var queue = _outgoing.GetValueOrDefault(header.StreamId);
        if (header.Type is FrameType.RstStream && queue is not null)
            Drop(header.StreamId);
        else if (header.Type is FrameType.Headers && queue is { Parts.Count: > 0 })
        {
            queue.Parts.AddLast(new OutgoingPart(unit.ToArray(), OutgoingKind.Frames, header.EndsStream));
            return;
        }

        // No window holds back an empty frame, but it may end a stream of which frames are parked.
        if (header.Type is FrameType.Data && (header.Length > 0 || queue is not null))
            ForwardData(header, unit, queue);
        else
            output.Append(unit);
    }

    /// <summary>The receiver opened the connection window.</summary>
    /// <returns>What the sender is to be told of now; 0 where that is nothing.</returns>
    internal int OnConnectionWindowUpdate(int increment)
    {
        _window += increment;
        // Debt is repaid first. The rest, with what we owe, goes on within what a frame can say, or stays owed while it is little: a
        // grpc-go peer opens the window by each small message at once, and each such frame would wake the sender once more.
        var due = increment - _balance;
        var share = due > MaxOwed ? (int)Math.Min(due, int.MaxValue) : 0;
        _balance += share - increment;
        Drain();
        return share;
    }

    /// <summary>The receiver opened a stream's window.</summary>
    /// <returns>Whether the stream is ours, and the room with it.</returns>
    internal bool OnStreamWindowUpdate(int stream, int increment)
    {
        if (!_outgoing.TryGetValue(stream, out var queue) || !queue.IsOurs)
            return false;
        queue.Window += increment;
        Drain();
        return true;
    }

    /// <summary>The receiver changed the window that streams begin with; open ones change by the difference (RFC 9113 section 6.9.2).</summary>
    internal void OnInitialWindowSize(int size)
    {
        foreach (var queue in _outgoing.Values)
            queue.Window += size - InitialStreamWindow;
        InitialStreamWindow = size;
        Drain();
    }

    /// <summary>The receiver will not see these octets from the sender: held or dropped by us.</summary>
    internal void Take(int octets) => _balance -= octets;

    /// <summary>To be asked whenever the sender has sent.</summary>
    /// <returns>What it is to be credited on its connection now; 0 while it is little or the sender has room enough.</returns>
    internal int TakeDue()
    {
        if (_balance >= -MaxOwed || _window + _balance > Enough)
            return 0;
        var credit = (int)-_balance;
        _balance = 0;
        return credit;
    }

    /// <summary>
    /// A new stream, on which we may send: its window is followed from here on. <see cref="Drop"/> leaves it to the sender.
    /// </summary>
    internal void Own(int stream)
    {
        Drop(stream); // what a sender that breaks the protocol sent before the stream began
        _outgoing.Add(stream, new OutgoingStream { IsOurs = true, Window = InitialStreamWindow });
    }

    /// <summary>Sends a header block on a stream of ours, behind what was sent on it before.</summary>
    /// <param name="andReset">The receiver still sends on this stream; it is told that the rest is not wanted (RFC 9113 section 8.1).</param>
    internal void SendHeaders(int stream, ReadOnlySpan<byte> block, bool endStream, bool andReset = false)
    {
        if (!andReset && block.Length <= Frames.MaxPayload && _outgoing.TryGetValue(stream, out var queue) && queue.Parts.Count == 0)
        {
            WriteHeaders(stream, block, endStream); // nothing is before it: the usual case, without a copy
            if (endStream)
                Forget(stream, queue);
            return;
        }

        var frames = new ArrayBufferWriter<byte>(FrameHeader.Size + block.Length);
        Frames.WriteHeaders(frames, stream, block, endStream);
        if (andReset)
            frames.Write(Frames.RstStream(stream, ErrorCode.NoError));
        Send(stream, new OutgoingPart(frames.WrittenMemory, OutgoingKind.Frames, endStream));
    }

    /// <summary>Sends data on a stream of ours as the windows allow. The memory must stay as it is until then.</summary>
    internal void SendData(int stream, ReadOnlyMemory<byte> data, bool endStream) =>
        Send(stream, new OutgoingPart(data, OutgoingKind.Data, endStream));

    /// <summary>Whether forwarded frames of this stream wait, and later ones with them.</summary>
    internal bool Parks(int stream) => _outgoing.TryGetValue(stream, out var queue) && !queue.IsOurs;

    /// <summary>Nothing of ours is on its way or may still come.</summary>
    internal bool IsIdle => _outgoing.Count == 0;

    /// <summary>Whether anything waits for the receiver's windows.</summary>
    internal bool IsWaiting => _outgoing.Values.Any(queue => queue.Parts.Count > 0);

    /// <summary>Whether an answer of ours is still on its way on this stream.</summary>
    internal bool Owns(int stream) => _outgoing.TryGetValue(stream, out var queue) && queue.IsOurs;

    /// <summary>Whether data of ours was sent since this was last asked.</summary>
    internal bool TakeHasSent()
    {
        var hasSent = _hasSent;
        _hasSent = false;
        return hasSent;
    }

    /// <summary>Whether anything of ours waits to be sent on this stream.</summary>
    internal bool Waits(int stream) => _outgoing.TryGetValue(stream, out var queue) && queue.Parts.Count > 0;

    /// <summary>Calls back when nothing waits on this stream of ours any more, sent or dropped: now, if nothing does.</summary>
    internal void WhenSent(int stream, Action callBack)
    {
        if (_outgoing.TryGetValue(stream, out var queue) && queue.Parts.Count > 0)
            queue.Sent += callBack;
        else
            callBack();
    }

    /// <summary>Nothing more is sent on this stream; what waits is dropped.</summary>
    internal void Drop(int stream)
    {
        if (!_outgoing.TryGetValue(stream, out var queue))
            return;
        if (!queue.IsOurs)
            _balance -= queue.Parts.Sum(part => part.Kind is OutgoingKind.Data ? part.Octets.Length : 0);
        Forget(stream, queue);
    }

    /// <summary>Drops what waits on all streams of ours: nobody wants it any more.</summary>
    internal void DropOurs()
    {
        foreach (var (stream, _) in _outgoing.Where(outgoing => outgoing.Value.IsOurs).ToArray())
            Drop(stream);
    }

    private void Send(int stream, OutgoingPart part)
    {
        if (!_outgoing.TryGetValue(stream, out var queue))
            return; // the stream was reset
        queue.Parts.AddLast(part);
        Drain(stream, queue);
    }

    private void ForwardData(FrameHeader header, ReadOnlySpan<byte> frame, OutgoingStream? queue)
    {
        if (queue is null && header.Length <= _window)
        {
            _window -= header.Length;
            output.Append(frame);
            return;
        }

        // A receiver may hold its update back until half its window is used, so what fits goes now: never wait for room for all.
        var data = Frames.Data(header, frame);
        _balance -= header.Length - data.Length; // padding is not sent on
        if (queue is null)
        {
            queue = new OutgoingStream { IsOurs = false, Window = long.MaxValue / 2 }; // the sender keeps to the stream's window itself
            _outgoing.Add(header.StreamId, queue);
            _parked++;
        }

        queue.Parts.AddLast(new OutgoingPart(data.ToArray(), OutgoingKind.Data, header.EndsStream));
        Drain(header.StreamId, queue);
    }

    private void Drain()
    {
        foreach (var (stream, queue) in _outgoing.ToArray())
            Drain(stream, queue);
    }

    private void Drain(int stream, OutgoingStream queue)
    {
        var ended = false;
        while (queue.Parts.First is { Value: var part })
        {
            if (part.Kind is OutgoingKind.Frames)
                output.Append(part.Octets.Span);
            else if (!SendSome(stream, queue, part))
                return;
            ended = part.EndsStream;
            queue.Parts.RemoveFirst();
        }

        if (ended || !queue.IsOurs)
            Forget(stream, queue);
        else
            queue.TellSent();
    }

    private void Forget(int stream, OutgoingStream queue)
    {
        _outgoing.Remove(stream);
        if (!queue.IsOurs)
            _parked--;
        queue.TellSent();
    }

    /// <returns>False where the windows closed before the part was sent whole; the rest is at the head of the queue.</returns>
    private bool SendSome(int stream, OutgoingStream queue, OutgoingPart part)
    {
        var rest = part.Octets;
        do
        {
            var length = (int)Math.Min(Math.Min(rest.Length, Frames.MaxPayload), Math.Max(0, Math.Min(_window, queue.Window)));
            if (length == 0 && !rest.IsEmpty)
            {
                queue.Parts.First!.Value = part with { Octets = rest };
                return false;
            }

            var last = length == rest.Length && part.EndsStream;
            WriteData(stream, rest.Span[..length], last);
            rest = rest[length..];
            _window -= length;
            queue.Window -= length;
            if (!queue.IsOurs)
                continue;
            _balance += length;
            _hasSent = true;
        }
        while (!rest.IsEmpty);
        return true;
    }

    private void WriteHeaders(int stream, ReadOnlySpan<byte> block, bool endStream)
    {
        Span<byte> header = stackalloc byte[FrameHeader.Size];
        var flags = endStream ? FrameFlags.EndHeaders | FrameFlags.EndStream : FrameFlags.EndHeaders;
        new FrameHeader(block.Length, FrameType.Headers, flags, stream).Write(header);
        output.Append(header, block);
    }

    private void WriteData(int stream, ReadOnlySpan<byte> data, bool last)
    {
        Span<byte> header = stackalloc byte[FrameHeader.Size];
        new FrameHeader(data.Length, FrameType.Data, last ? FrameFlags.EndStream : FrameFlags.None, stream).Write(header);
        output.Append(header, data);
    }
}
