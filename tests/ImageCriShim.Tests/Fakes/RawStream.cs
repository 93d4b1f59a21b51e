using System.Buffers.Binary;
using System.IO.Compression;
using System.Threading.Channels;

namespace ImageCriShim.Tests.Fakes;

/// <summary>One gRPC message with its compressed flag; <see cref="Bytes"/> are as on the wire.</summary>
public sealed record GrpcMessage(bool Compressed, byte[] Bytes)
{
    public const int PrefixLength = 5;

    /// <summary>The message, inflated if it was compressed with gzip.</summary>
    public byte[] Content => Compressed ? Inflate(Bytes) : Bytes;

    public static byte[] Encode(ReadOnlySpan<byte> content, bool gzip = false)
    {
        var body = gzip ? Deflate(content) : content;
        var bytes = new byte[PrefixLength + body.Length];
        bytes[0] = gzip ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(1), body.Length);
        body.CopyTo(bytes.AsSpan(PrefixLength));
        return bytes;
    }

    private static byte[] Deflate(ReadOnlySpan<byte> content)
    {
        using var result = new MemoryStream();
        using (var gzip = new GZipStream(result, CompressionLevel.Fastest)) gzip.Write(content);
        return result.ToArray();
    }

    private static byte[] Inflate(byte[] content)
    {
        using var result = new MemoryStream();
        using (var gzip = new GZipStream(new MemoryStream(content), CompressionMode.Decompress)) gzip.CopyTo(result);
        return result.ToArray();
    }
}

/// <summary>The peer reset the stream.</summary>
public sealed class StreamResetException(Http2Error error) : IOException($"the stream was reset: {error}")
{
    public Http2Error Error { get; } = error;
}

/// <summary>All that an answer was.</summary>
public sealed record RawAnswer(IReadOnlyList<Header> Headers, IReadOnlyList<GrpcMessage> Messages, IReadOnlyList<Header> Trailers)
{
    public int Status => int.Parse(Find("grpc-status") ?? "-1");

    /// <summary>The text of the status, percent-decoded.</summary>
    public string Message => Uri.UnescapeDataString(Find("grpc-message") ?? "");

    public byte[] Single => Messages.Count == 1 ? Messages[0].Content
        : throw new InvalidDataException($"{Messages.Count} messages, status {Status} {Message}");

    private string? Find(string name) => Trailers.Where(field => field.Name == name).Select(field => field.Value).FirstOrDefault();
}

/// <summary>One stream of a <see cref="RawConnection"/>, from either side.</summary>
public sealed class RawStream
{
    private readonly RawConnection connection;
    private readonly bool isCaller;
    private readonly TaskCompletionSource<IReadOnlyList<Header>> headers = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<IReadOnlyList<Header>> trailers = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<Http2Error> reset = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Channel<GrpcMessage> messages = Channel.CreateUnbounded<GrpcMessage>();
    private readonly CancellationTokenSource cancelled = new();
    internal int Uncredited; // by reference
    private byte[] partial = [];
    private int partialLength;

    internal RawStream(RawConnection connection, int id, bool isCaller) =>
        (this.connection, Id, this.isCaller) = (connection, id, isCaller);

    public int Id { get; }

    public RawConnection Connection => connection;

    /// <summary>Whether DATA received on this stream is credited to its window at once.</summary>
    public bool Credit { get; set; } = true;

    /// <summary>The first header block of the peer.</summary>
    public Task<IReadOnlyList<Header>> Headers => headers.Task.WaitAsync(RawConnection.Patience);

    /// <summary>The last header block of the peer (the first, for an answer of trailers only); empty if DATA ended the stream.</summary>
    public Task<IReadOnlyList<Header>> Trailers => trailers.Task.WaitAsync(RawConnection.Patience);

    /// <summary>Completes when the peer resets the stream.</summary>
    public Task<Http2Error> Reset => reset.Task.WaitAsync(RawConnection.Patience);

    /// <summary>Cancelled when the peer resets the stream or the connection ends.</summary>
    public CancellationToken Cancelled => cancelled.Token;

    /// <summary>Bytes of DATA that have come, padding not counted.</summary>
    public long BytesReceived { get; private set; }

    internal long SendWindow { get; set; }

    internal Http2Error? ResetBy { get; set; }

    internal bool IsReset => ResetBy is not null;

    internal bool EndsWithThisBlock { get; set; }

    internal bool WasAnnounced { get; set; }

    internal bool HasSentEnd { get; set; }

    internal bool HasReceivedEnd { get; set; }

    public void SendHeaders(IEnumerable<Header> fields, bool end = false) => connection.SendHeaders(Id, fields, end);

    /// <summary>DATA as it is, cut only by windows and frame size.</summary>
    public Task SendDataAsync(ReadOnlyMemory<byte> data, bool end = false) => connection.SendDataAsync(this, data, end);

    public Task SendMessageAsync(ReadOnlySpan<byte> content, bool end = false, bool gzip = false) =>
        SendDataAsync(GrpcMessage.Encode(content, gzip), end);

    /// <summary>END_STREAM on an empty DATA frame, as grpc-go half-closes.</summary>
    public void HalfClose()
    {
        connection.Send(Frame.Data(Id, [], end: true));
        connection.Forget(this, hasSentEnd: true);
    }

    public void Cancel(Http2Error error = Http2Error.Cancel)
    {
        connection.Send(Frame.RstStream(Id, error));
        connection.Forget(this, hasSentEnd: true, hasReceivedEnd: true);
    }

    public void GiveCredit(int bytes) => connection.Send(Frame.WindowUpdate(Id, bytes));

    /// <summary>The next message, or null when the peer has ended the stream.</summary>
    public async Task<GrpcMessage?> ReadMessageAsync()
    {
        using var patience = new CancellationTokenSource(RawConnection.Patience);
        try
        {
            return await messages.Reader.WaitToReadAsync(patience.Token) && messages.Reader.TryRead(out var message) ? message : null;
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"no message on stream {Id} within {RawConnection.Patience.TotalSeconds} s; the connection: {connection.Loss ?? "open"}");
        }
    }

    public async Task<RawAnswer> ReadAnswerAsync()
    {
        var all = new List<GrpcMessage>();
        while (await ReadMessageAsync() is { } message) all.Add(message);
        return new(await Headers, all, await Trailers);
    }

    internal void ReceiveHeaders(IReadOnlyList<Header> fields)
    {
        var isInformational = isCaller && fields.Any(field => field is { Name: ":status", Value: ['1', ..] });
        if (isInformational) return;
        headers.TrySetResult(fields);
        if (EndsWithThisBlock) End(fields);
    }

    internal void ReceiveData(Frame frame)
    {
        var body = frame.Body;
        BytesReceived += body.Length;
        Append(body);
        while (TakeMessage() is { } message) messages.Writer.TryWrite(message);
        if (frame.EndsStream) End([]);
    }

    internal void ReceiveReset(Http2Error error)
    {
        reset.TrySetResult(error);
        Fail(new StreamResetException(error));
    }

    internal void Lose(ConnectionLostException loss)
    {
        reset.TrySetException(loss);
        Fail(loss);
    }

    private void Fail(Exception error)
    {
        headers.TrySetException(error);
        trailers.TrySetException(error);
        messages.Writer.TryComplete(trailers.Task.IsCompletedSuccessfully ? null : error);
        _ = cancelled.CancelAsync();
    }

    private void End(IReadOnlyList<Header> fields)
    {
        trailers.TrySetResult(fields);
        messages.Writer.TryComplete();
    }

    private void Append(ReadOnlySpan<byte> body)
    {
        if (partialLength + body.Length > partial.Length)
        {
            var expected = partialLength >= GrpcMessage.PrefixLength
                ? GrpcMessage.PrefixLength + BinaryPrimitives.ReadInt32BigEndian(partial.AsSpan(1)) : 0;
            Array.Resize(ref partial, Math.Max(expected, partialLength + body.Length));
        }

        body.CopyTo(partial.AsSpan(partialLength));
        partialLength += body.Length;
    }

    private GrpcMessage? TakeMessage()
    {
        if (partialLength < GrpcMessage.PrefixLength) return null;
        var length = BinaryPrimitives.ReadInt32BigEndian(partial.AsSpan(1));
        if (length < 0 || partialLength - GrpcMessage.PrefixLength < length) return null;
        var message = new GrpcMessage(partial[0] == 1, partial.AsSpan(GrpcMessage.PrefixLength, length).ToArray());
        partial = partial.AsSpan(GrpcMessage.PrefixLength + length, partialLength - GrpcMessage.PrefixLength - length).ToArray();
        partialLength = partial.Length;
        return message;
    }
}
