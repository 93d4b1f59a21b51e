using System.Buffers;
using System.Net.Sockets;
using ImageCriShim.Relay;
using ImageCriShim.Relay.Hpack;

namespace ImageCriShim.Cri;

/// <summary>
/// An HTTP/2 connection to the runtime for calls of our own, one after another (RFC 9113). A look-up takes the runtime a tenth
/// of a millisecond, so its answer is awaited on the calling thread at first: that is several times faster than being called back.
/// </summary>
internal sealed class RuntimeConnection(Socket socket) : IDisposable
{
    /// <summary>Beyond this the thread is given up and the answer calls back: a pull may take minutes.</summary>
    private static readonly TimeSpan s_directWait = TimeSpan.FromMilliseconds(2);

    private const int DefaultWindow = 65_535; // RFC 9113 section 6.9.2
    private const int LastStream = int.MaxValue - 2;
    private const int BufferBytes = 32 * 1024; // answers are a few KiB; it grows for larger ones

    /// <summary>Larger than the largest answer, so that a larger one is noticed and does not just stop.</summary>
    private const int ReceiveWindow = RelayLimits.MessageBytes + 64 * 1024;

    private readonly FrameBuffer _received = new(BufferBytes);
    private readonly ArrayBufferWriter<byte> _toSend = new(1024);
    private readonly HpackDecoder _decoder = new(RelayLimits.HeaderListBytes);
    private readonly List<HeaderField> _fields = [];
    private RuntimeAnswer _answer = new();
    private int _stream = -1;
    private int _initialWindow = DefaultWindow;
    private long _streamWindow;
    private long _connectionWindow = DefaultWindow;
    private int _uncredited;
    private bool _isBroken; // or in the middle of a call
    private ErrorCode? _goAway; // the runtime's: it takes no more calls

    /// <summary>Whether the last call has left it in order.</summary>
    internal bool IsInOrder => !_isBroken && _goAway is null && _stream < LastStream;

    /// <summary>It was waited for asynchronously: from then on each arrival wakes two more threads.</summary>
    internal bool IsSlow { get; private set; }

    /// <summary>Whether another call may be made; what has arrived meanwhile is looked at.</summary>
    internal bool IsUsable()
    {
        try
        {
            while (IsInOrder && socket.Poll(TimeSpan.Zero, SelectMode.SelectRead))
            {
                _isBroken = !_received.Fill(socket);
                HandleReceived();
            }
        }
        catch (Exception e) when (RuntimeConnectionException.IsLoss(e))
        {
            _isBroken = true;
        }

        return IsInOrder;
    }

    /// <param name="fields">The request's headers after the pseudo-header fields.</param>
    /// <param name="body">gRPC frames.</param>
    /// <exception cref="RuntimeConnectionException">The runtime ended the call or the connection.</exception>
    /// <exception cref="AnswerTooLargeException"/>
    /// <exception cref="OperationCanceledException">The runtime is told, or sees the connection close.</exception>
    internal async Task<RuntimeAnswer> Call(
        string path, IReadOnlyList<KeyValuePair<string, string>> fields, ReadOnlyMemory<byte> body, CancellationToken cancellation)
    {
        _isBroken = true; // until it has ended well
        bool isSent;
        try
        {
            WriteHead(path, fields);
            isSent = await SendBody(body, cancellation);
        }
        catch (Exception e) when (RuntimeConnectionException.IsLoss(e))
        {
            throw RuntimeConnectionException.Lost(e, _goAway);
        }

        var answer = await Finish(cancellation);
        _isBroken = !isSent;
        return answer;
    }

    /// <summary>Sends a request of some KiB on a connection that has been used and is idle, so without waiting. <see cref="Finish"/> or <see cref="GiveUp"/> comes next.</summary>
    /// <returns>False: the request is too large; nothing was sent.</returns>
    /// <exception cref="RuntimeConnectionException"/>
    internal bool TryBegin(string path, IReadOnlyList<KeyValuePair<string, string>> fields, ReadOnlySpan<byte> body)
    {
        const int most = 8 * 1024; // a socket whose last call was answered takes it at once
        if (_stream < 0 || body.Length > Math.Min(most, Math.Min(_initialWindow, _connectionWindow)))
            return false;
        try
        {
            _isBroken = true; // until it has ended well
            WriteHead(path, fields);
            WriteData(body, endStream: true);
            for (var rest = _toSend.WrittenSpan; !rest.IsEmpty;)
                rest = rest[socket.Send(rest)..];
            _toSend.Clear();
            return true;
        }
        catch (Exception e) when (RuntimeConnectionException.IsLoss(e))
        {
            throw RuntimeConnectionException.Lost(e, _goAway);
        }
    }

    /// <summary>Waits for the answer of what was sent.</summary>
    /// <inheritdoc cref="Call"/>
    internal async Task<RuntimeAnswer> Finish(CancellationToken cancellation)
    {
        try
        {
            while (!_answer.IsWhole)
                await Receive(cancellation);
        }
        catch (OperationCanceledException)
        {
            GiveUp();
            throw;
        }
        catch (Exception e) when (RuntimeConnectionException.IsLoss(e))
        {
            throw RuntimeConnectionException.Lost(e, _goAway);
        }

        _isBroken = false;
        GiveCredit();
        return _answer;
    }

    public void Dispose() => socket.Dispose();

    private void WriteHead(string path, IReadOnlyList<KeyValuePair<string, string>> fields)
    {
        var isFirst = _stream < 0;
        if (isFirst)
            RequestFrames.WriteBeginning(_toSend, ReceiveWindow);
        (_stream, _streamWindow, _answer) = (_stream + 2, _initialWindow, new RuntimeAnswer());
        RequestFrames.WriteHead(_toSend, _stream, path, fields, isFirst);
    }

    /// <returns>False where the runtime has answered before it had all of it.</returns>
    private async Task<bool> SendBody(ReadOnlyMemory<byte> body, CancellationToken cancellation)
    {
        while (!_answer.IsWhole)
        {
            var part = body[..(int)Math.Clamp(Math.Min(_streamWindow, _connectionWindow), 0, Math.Min(body.Length, Frames.MaxPayload))];
            body = body[part.Length..];
            if (part.Length > 0)
                WriteData(part.Span, body.IsEmpty);
            if (body.IsEmpty || part.IsEmpty)
                await Flush(cancellation);
            if (body.IsEmpty)
                return true;

            if (part.IsEmpty)
                await Receive(cancellation); // for the windows to open
        }

        return false;
    }

    private void WriteData(ReadOnlySpan<byte> part, bool endStream)
    {
        _toSend.Write(Frames.Of(FrameType.Data, endStream ? FrameFlags.EndStream : FrameFlags.None, _stream, part));
        _streamWindow -= part.Length;
        _connectionWindow -= part.Length;
    }

    private async Task Flush(CancellationToken cancellation)
    {
        for (var sent = 0; sent < _toSend.WrittenCount;)
            sent += await socket.SendAsync(_toSend.WrittenMemory[sent..], SocketFlags.None, cancellation);
        _toSend.Clear();
    }

    /// <summary>
    /// The answer is not wanted. The whole request has left, so the connection is in order; what comes of this stream is passed over.
    /// </summary>
    internal void GiveUp()
    {
        _toSend.Write(Frames.RstStream(_stream, ErrorCode.Cancel));
        _answer = RuntimeAnswer.Unwanted;
        try
        {
            if (!socket.Poll(TimeSpan.Zero, SelectMode.SelectWrite))
                return; // it does not read; the connection stays broken and is closed
            _isBroken = socket.Send(_toSend.WrittenSpan) < _toSend.WrittenCount;
            _toSend.Clear();
        }
        catch (SocketException)
        {
            // It is closed then.
        }
    }

    private async Task Receive(CancellationToken cancellation)
    {
        var isReady = socket.Poll(s_directWait, SelectMode.SelectRead);
        if (!isReady)
        {
            IsSlow = true;
            await Flush(cancellation); // else what is to be acknowledged goes out with the next call
        }

        if (!(isReady ? _received.Fill(socket) : await _received.FillAsync(socket, cancellation)))
            throw RuntimeConnectionException.Lost("the runtime closed it", _goAway);
        HandleReceived();
    }

    private void HandleReceived()
    {
        while (_received.TryPeek(0, out var header, out var length))
        {
            Handle(header, _received.Unread[..length]);
            _received.Consume(length);
        }
    }

    private void Handle(FrameHeader header, ReadOnlySpan<byte> unit)
    {
        var isOfCall = header.StreamId == _stream && !_answer.IsWhole;
        switch (header.Type)
        {
            case FrameType.Data:
                ReceiveData(header, unit, isOfCall);
                break;
            case FrameType.Headers:
                _decoder.Decode(Frames.HeaderBlock(header, unit), _fields); // even if late: the table follows every block
                if (isOfCall)
                    _answer.AddBlock(_fields, header.EndsStream);
                break;
            case FrameType.RstStream when isOfCall:
                throw RuntimeConnectionException.Reset(header.Length == 4 ? Frames.Error(unit) : ErrorCode.ProtocolError);
            case FrameType.Settings when !header.Has(FrameFlags.Ack):
                Apply(SettingsFrame.Parse(header, unit));
                break;
            case FrameType.Ping when !header.Has(FrameFlags.Ack):
                _toSend.Write(Frames.Of(FrameType.Ping, FrameFlags.Ack, 0, unit[FrameHeader.Size..]));
                break;
            case FrameType.GoAway:
                ReceiveGoAway(header, unit);
                break;
            case FrameType.WindowUpdate when header.StreamId == 0:
                _connectionWindow += Frames.Increment(header, unit);
                break;
            case FrameType.WindowUpdate when isOfCall:
                _streamWindow += Frames.Increment(header, unit);
                break;
        }
    }

    private void ReceiveData(FrameHeader header, ReadOnlySpan<byte> frame, bool isOfCall)
    {
        _uncredited += header.Length;
        if (!isOfCall)
            return;
        _answer.AddData(Frames.Data(header, frame), header.EndsStream);
        if (_answer.Body.Length > GrpcMessage.PrefixBytes + RelayLimits.MessageBytes)
            throw new AnswerTooLargeException();
    }

    private void Apply(SettingsFrame settings)
    {
        if (settings.Find(SettingsFrame.InitialWindowSize) is { } window)
        {
            _streamWindow += window - _initialWindow; // RFC 9113 section 6.9.2
            _initialWindow = window;
        }

        _toSend.Write(Frames.Of(FrameType.Settings, FrameFlags.Ack, 0, []));
    }

    /// <summary>A call that the runtime takes goes on to its end (RFC 9113 section 6.8).</summary>
    private void ReceiveGoAway(FrameHeader header, ReadOnlySpan<byte> frame)
    {
        var last = Frames.LastStream(header, frame)
            ?? throw new Http2ProtocolException(ErrorCode.FrameSizeError, "a GOAWAY frame is too short");
        _goAway = Frames.Error(frame, offset: 4);
        if (!_answer.IsWhole && last < _stream)
            throw RuntimeConnectionException.Lost("the runtime is closing it", _goAway);
    }

    // Goes out with the next call.
    private void GiveCredit()
    {
        if (_uncredited > 0)
            _toSend.Write(Frames.WindowUpdate(0, _uncredited));
        _uncredited = 0;
    }
}
