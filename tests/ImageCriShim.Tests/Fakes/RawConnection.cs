using System.Net.Sockets;
using System.Threading.Channels;

namespace ImageCriShim.Tests.Fakes;

/// <summary>How an end of a raw connection behaves by itself; a test switches off what it wants to do by hand.</summary>
public sealed record RawOptions
{
    /// <summary>The settings of the first SETTINGS frame.</summary>
    public (Http2Setting Id, uint Value)[] Settings { get; init; } = [];

    /// <summary>Whether preface and SETTINGS are sent at the start.</summary>
    public bool SendSettings { get; init; } = true;

    public bool AnswerSettings { get; init; } = true;

    public bool AnswerPings { get; init; } = true;

    /// <summary>
    /// Whether received DATA is credited to the connection's window at once; for a stream see <see cref="RawStream.Credit"/>.
    /// </summary>
    public bool Credit { get; init; } = true;

    /// <summary>Credit, of connection and streams alike, is held back until it is at least this much, as real receivers do.</summary>
    public int CreditFrom { get; init; } = 1;

    /// <summary>
    /// Whether received frames are kept in <see cref="RawConnection.Received"/>, and streams that have ended in
    /// <see cref="RawConnection.Streams"/>; a stress of many calls cannot afford it.
    /// </summary>
    public bool Record { get; init; } = true;

    /// <summary>How header blocks are encoded; literals without indexing unless told.</summary>
    public Func<Func<IEnumerable<Header>, byte[]>> Encoder { get; init; } = () => fields => Hpack.Encode(fields);

    public static Func<Func<IEnumerable<Header>, byte[]>> Indexing { get; } = () =>
    {
        var encoder = new IndexingHpackEncoder();
        return fields => encoder.Encode(fields);
    };
}

/// <summary>The other side ended the connection, or went against the protocol.</summary>
public sealed class ConnectionLostException(string message) : IOException(message);

/// <summary>
/// One end of an HTTP/2 connection over a socket. A reader never waits for a writer: what is sent goes through a queue without limit, in
/// order, one <c>send</c> for each call, so that a test decides where bytes are cut.
/// </summary>
public sealed class RawConnection : IAsyncDisposable
{
    public static readonly byte[] Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray();

    /// <summary>How long anything is waited for before a test fails: far beyond what a busy machine takes.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Socket socket;
    private readonly bool isCaller;
    private readonly Action<RawStream>? opened;
    private readonly Func<IEnumerable<Header>, byte[]> encode;
    private readonly HpackDecoder decoder = new();
    private readonly Channel<(byte[] Bytes, TaskCompletionSource? Written)> outgoing =
        Channel.CreateUnbounded<(byte[], TaskCompletionSource?)>(new() { SingleReader = true });
    private readonly Lock gate = new();
    private readonly Dictionary<int, RawStream> streams = [];
    private int dataFrames;
    private readonly List<Frame> received = [];
    private readonly List<(Func<Frame, bool> Wanted, TaskCompletionSource<Frame> Found)> waiting = [];
    private readonly TaskCompletionSource closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task reader;
    private readonly Task writer;
    private TaskCompletionSource windowOpened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long connectionWindow = 65535;
    private int uncredited;
    private int initialWindow = 65535;
    private int nextStream = 1;
    private long pings;

    internal RawConnection(Socket socket, bool isCaller, RawOptions options, Action<RawStream>? opened = null)
    {
        this.socket = socket;
        this.isCaller = isCaller;
        this.opened = opened;
        Options = options;
        encode = options.Encoder();
        if (options.SendSettings)
        {
            var settings = Frame.SettingsOf(options.Settings).ToBytes();
            SendBytes(isCaller ? [.. Preface, .. settings] : settings);
        }

        var incoming = new NetworkStream(socket); // here: once we have closed our side it could not be made any more
        reader = Task.Run(() => ReadAsync(incoming));
        writer = Task.Run(WriteAsync);
    }

    public RawOptions Options { get; }

    /// <summary>Largest DATA that is sent in one frame; the peer's SETTINGS_MAX_FRAME_SIZE is learned.</summary>
    public int MaxFrameSize { get; private set; } = 16384;

    /// <summary>Completes when the peer has closed its side of the connection or the connection broke.</summary>
    public Task Closed => closed.Task;

    /// <summary>Why the connection ended, for messages.</summary>
    public string? Loss { get; private set; }

    /// <summary>Every frame received so far, in order.</summary>
    public IReadOnlyList<Frame> Received
    {
        get { lock (gate) return [.. received]; }
    }

    /// <summary>Every stream seen so far, by id.</summary>
    public IReadOnlyList<RawStream> Streams
    {
        get { lock (gate) return [.. streams.Values.OrderBy(stream => stream.Id)]; }
    }

    /// <summary>Room that the peer has left us on the connection.</summary>
    public long SendWindow
    {
        get { lock (gate) return connectionWindow; }
    }

    public void Send(params ReadOnlySpan<Frame> frames)
    {
        if (frames.Length == 1)
        {
            SendBytes(frames[0].ToBytes());
            return;
        }

        using var bytes = new MemoryStream();
        foreach (var frame in frames) bytes.Write(frame.ToBytes());
        SendBytes(bytes.ToArray());
    }

    public void SendBytes(byte[] bytes) => outgoing.Writer.TryWrite((bytes, null));

    /// <summary>Completes when the bytes were handed to the socket.</summary>
    public Task SendBytesAsync(byte[] bytes)
    {
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!outgoing.Writer.TryWrite((bytes, written))) written.SetException(new ConnectionLostException(Loss ?? "closed"));
        return written.Task.WaitAsync(Patience);
    }

    /// <summary>
    /// A header block as this connection's encoder gives it; blocks must be sent in the order in which they were encoded.
    /// </summary>
    public byte[] Encode(params IEnumerable<Header> fields) => encode(fields);

    /// <summary>The next stream of a caller; nothing is sent for it yet.</summary>
    public RawStream Open()
    {
        lock (gate)
        {
            var stream = AddStream(nextStream);
            nextStream += 2;
            return stream;
        }
    }

    /// <summary>The same, with its headers sent: streams must begin in the order of their ids (RFC 9113 section 5.1.1).</summary>
    public RawStream Open(IEnumerable<Header> fields)
    {
        lock (gate)
        {
            var stream = Open();
            SendHeaders(stream.Id, fields, end: false);
            return stream;
        }
    }

    /// <summary>Encodes and sends HEADERS in one step, so that blocks of concurrent calls reach the wire in the encoder's order.</summary>
    internal void SendHeaders(int stream, IEnumerable<Header> fields, bool end)
    {
        lock (gate)
        {
            Send(Frame.HeaderBlock(stream, encode(fields), end, MaxFrameSize));
            if (end && streams.TryGetValue(stream, out var ended)) Forget(ended, hasSentEnd: true);
        }
    }

    /// <summary>The first frame received, or still to come, that is wanted.</summary>
    public Task<Frame> WaitForFrame(Func<Frame, bool> wanted)
    {
        lock (gate)
        {
            if (received.Find(frame => wanted(frame)) is { } present) return Task.FromResult(present);
            var found = new TaskCompletionSource<Frame>(TaskCreationOptions.RunContinuationsAsynchronously);
            if (closed.Task.IsCompleted) found.SetException(new ConnectionLostException(Loss ?? "closed"));
            else waiting.Add((wanted, found));
            return found.Task.WaitAsync(Patience);
        }
    }

    public Task<Frame> WaitForFrame(FrameType type) => WaitForFrame(frame => frame.Type == type);

    /// <summary>A PING and its answer: everything sent before has been read by whoever answers pings.</summary>
    public Task PingAsync() => PingAsync((ulong)Interlocked.Increment(ref pings));

    /// <param name="opaque">Not used before on this connection.</param>
    public async Task PingAsync(ulong opaque)
    {
        Send(Frame.Ping(opaque));
        await WaitForFrame(frame => frame.SameAs(Frame.Ping(opaque, ack: true)));
    }

    /// <summary>Sends DATA as the peer's windows and frame size allow; completes when the last byte is queued.</summary>
    internal async Task SendDataAsync(RawStream stream, ReadOnlyMemory<byte> data, bool end)
    {
        do
        {
            Task opening;
            var taken = 0;
            lock (gate)
            {
                if (stream.ResetBy is Http2Error.NoError) return; // the response is complete without the rest of the request (RFC 9113 section 8.1)
                if (stream.ResetBy is { } error) throw new StreamResetException(error);
                taken = (int)Math.Clamp(Math.Min(connectionWindow, stream.SendWindow), 0, Math.Min(MaxFrameSize, data.Length));
                connectionWindow -= taken;
                stream.SendWindow -= taken;
                opening = windowOpened.Task;
            }

            if (taken == 0 && data.Length > 0)
            {
                await Task.WhenAny(opening, closed.Task).WaitAsync(Patience);
                if (closed.Task.IsCompleted) throw new ConnectionLostException(Loss ?? "closed");
                continue;
            }

            var ends = end && taken == data.Length;
            await SendDataAsync(Frame.Data(stream.Id, data.Span[..taken], ends));
            data = data[taken..];
            if (ends) Forget(stream, hasSentEnd: true);
        }
        while (data.Length > 0);
    }

    /// <summary>Waits now and then, so that a peer that does not read finds no gigabyte in the queue.</summary>
    private async ValueTask SendDataAsync(Frame frame)
    {
        const int framesBetweenWaits = 256;
        var written = Interlocked.Increment(ref dataFrames) % framesBetweenWaits == 0
            ? new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)
            : null;
        if (!outgoing.Writer.TryWrite((frame.ToBytes(), written))) throw new ConnectionLostException(Loss ?? "closed");
        if (written is not null) await written.Task;
    }

    /// <summary>Closes our side for writing; the peer's last frames are still read.</summary>
    public void CloseWriting() => outgoing.Writer.TryComplete();

    /// <summary>Ends the connection at once, without any GOAWAY.</summary>
    public void Abort()
    {
        outgoing.Writer.TryComplete();
        socket.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        Abort();
        await Task.WhenAll(reader, writer);
    }

    /// <summary>A stream that has ended both ways is not kept, unless everything is recorded.</summary>
    internal void Forget(RawStream stream, bool hasSentEnd = false, bool hasReceivedEnd = false)
    {
        lock (gate)
        {
            stream.HasSentEnd |= hasSentEnd;
            stream.HasReceivedEnd |= hasReceivedEnd;
            if (!Options.Record && stream is { HasSentEnd: true, HasReceivedEnd: true }) streams.Remove(stream.Id);
        }
    }

    private RawStream AddStream(int id)
    {
        var stream = new RawStream(this, id, isCaller) { SendWindow = initialWindow };
        streams.Add(id, stream);
        if (closed.Task.IsCompleted) stream.Lose(new ConnectionLostException(Loss ?? "closed"));
        return stream;
    }

    private async Task WriteAsync()
    {
        TaskCompletionSource? current = null;
        try
        {
            await foreach (var (bytes, written) in outgoing.Reader.ReadAllAsync())
            {
                current = written;
                for (var sent = 0; sent < bytes.Length;) sent += await socket.SendAsync(bytes.AsMemory(sent));
                written?.TrySetResult();
            }

            socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            outgoing.Writer.TryComplete();
            current?.TrySetException(new ConnectionLostException(error.Message));
            while (outgoing.Reader.TryRead(out var left)) left.Written?.TrySetException(new ConnectionLostException(error.Message));
        }
    }

    private async Task ReadAsync(NetworkStream incoming)
    {
        try
        {
            await using var stream = new BufferedStream(incoming, 64 * 1024);
            if (!isCaller)
            {
                var preface = new byte[Preface.Length];
                await stream.ReadExactlyAsync(preface);
                if (!preface.AsSpan().SequenceEqual(Preface)) throw new InvalidDataException("not an HTTP/2 preface");
            }

            var header = new byte[Frame.HeaderLength];
            var block = new List<byte>();
            while (true)
            {
                await stream.ReadExactlyAsync(header);
                var payload = new byte[header[0] << 16 | header[1] << 8 | header[2]];
                await stream.ReadExactlyAsync(payload);
                var id = (header[5] & 0x7f) << 24 | header[6] << 16 | header[7] << 8 | header[8];
                Receive(new Frame((FrameType)header[3], (FrameFlags)header[4], id, payload), block);
            }
        }
        catch (EndOfStreamException)
        {
            Lose("the peer closed the connection");
        }
        catch (Exception error)
        {
            Lose(error.Message);
        }
    }

    private void Lose(string reason)
    {
        List<RawStream> left;
        lock (gate)
        {
            Loss = received.Find(frame => frame.Type == FrameType.GoAway) is { } goAway ? $"{reason} after {goAway}" : reason;
            left = [.. streams.Values];
            closed.TrySetResult();
            foreach (var (_, found) in waiting) found.TrySetException(new ConnectionLostException(Loss));
        }

        foreach (var stream in left) stream.Lose(new ConnectionLostException(Loss));
    }

    private void Receive(Frame frame, List<byte> block)
    {
        RawStream? stream = null;
        var isNew = false;
        lock (gate)
        {
            if (Options.Record) received.Add(frame);
            for (var i = waiting.Count - 1; i >= 0; i--)
            {
                if (!waiting[i].Wanted(frame)) continue;
                waiting[i].Found.TrySetResult(frame);
                waiting.RemoveAt(i);
            }

            if (frame.Stream != 0 && !streams.TryGetValue(frame.Stream, out stream) && frame.Type == FrameType.Headers && !isCaller)
            {
                stream = AddStream(frame.Stream);
                isNew = true;
            }

            Account(frame, stream);
        }

        Answer(frame, stream);
        if (frame.Type is FrameType.Headers or FrameType.Continuation)
        {
            if (frame.Type == FrameType.Headers) block.Clear();
            block.AddRange(frame.Body);
            if (stream is not null && frame.Type == FrameType.Headers) stream.EndsWithThisBlock = frame.EndsStream;
            if (!frame.Has(FrameFlags.EndHeaders)) return;
            var fields = decoder.Decode(block.ToArray());
            stream?.ReceiveHeaders(fields);
            if (isNew || (frame.Type == FrameType.Continuation && stream is { WasAnnounced: false } && !isCaller)) Announce(stream!);
        }
        else if (stream is not null && frame.Type == FrameType.Data) stream.ReceiveData(frame);
        else if (stream is not null && frame.Type == FrameType.RstStream) stream.ReceiveReset((Http2Error)frame.Number);
        var isReset = frame.Type == FrameType.RstStream;
        if (stream is not null) Forget(stream, hasSentEnd: isReset, hasReceivedEnd: isReset || frame.EndsStream);
    }

    private void Announce(RawStream stream)
    {
        stream.WasAnnounced = true;
        opened?.Invoke(stream);
    }

    private void Account(Frame frame, RawStream? stream)
    {
        switch (frame.Type)
        {
            case FrameType.Settings when !frame.Has(FrameFlags.Ack):
                foreach (var (id, value) in frame.Settings)
                {
                    if (id == Http2Setting.MaxFrameSize) MaxFrameSize = (int)value;
                    if (id != Http2Setting.InitialWindowSize) continue;
                    foreach (var open in streams.Values) open.SendWindow += (int)value - initialWindow;
                    initialWindow = (int)value;
                }

                break;
            case FrameType.WindowUpdate when frame.Stream == 0: connectionWindow += frame.Number; break;
            case FrameType.WindowUpdate when stream is not null: stream.SendWindow += frame.Number; break;
            case FrameType.RstStream when stream is not null: stream.ResetBy = (Http2Error)frame.Number; break;
            default: return;
        }

        var opening = windowOpened;
        windowOpened = new(TaskCreationOptions.RunContinuationsAsynchronously);
        opening.SetResult();
    }

    private void Answer(Frame frame, RawStream? stream)
    {
        if (frame.Type is FrameType.Settings or FrameType.Ping && frame.Has(FrameFlags.Ack)) return;
        if (frame.Type == FrameType.Settings && Options.AnswerSettings) Send(Frame.SettingsAck);
        else if (frame.Type == FrameType.Ping && Options.AnswerPings) Send(frame with { Flags = FrameFlags.Ack });
        else if (frame.Type == FrameType.Data && frame.Payload.Length > 0)
        {
            uncredited += frame.Payload.Length;
            if (Options.Credit) GiveCredit(0, ref uncredited);
            if (stream is null || frame.EndsStream) return;
            stream.Uncredited += frame.Payload.Length;
            if (stream.Credit) GiveCredit(frame.Stream, ref stream.Uncredited);
        }
    }

    private void GiveCredit(int stream, ref int octets)
    {
        if (octets < Options.CreditFrom) return;
        Send(Frame.WindowUpdate(stream, octets));
        octets = 0;
    }
}
