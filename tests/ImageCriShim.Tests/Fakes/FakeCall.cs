using System.Text;

namespace ImageCriShim.Tests.Fakes;

/// <summary>A call as <see cref="FakeRuntime"/> sees it.</summary>
public sealed class FakeCall(RawStream stream, IReadOnlyList<Header> headers)
{
    private static readonly Header[] ResponseHeaders = [(":status", "200"), ("content-type", "application/grpc")];

    private readonly List<byte[]> requests = [];
    private bool hasSentHeaders;

    public RawStream Stream { get; } = stream;

    /// <summary>Request headers as they came.</summary>
    public IReadOnlyList<Header> Headers { get; } = headers;

    public string Path => Find(":path") ?? "";

    /// <summary>The request messages read so far.</summary>
    public IReadOnlyList<byte[]> Requests
    {
        get { lock (requests) return [.. requests]; }
    }

    /// <summary>The image named by an <c>ImageService</c> call; empty if none.</summary>
    public string Image => Requests is [var request, ..]
        ? ProtoFields.FindText(request, Path.EndsWith("/ListImages", StringComparison.Ordinal) ? [1, 1, 1] : [1, 1]) : "";

    /// <summary>The credential of a <c>PullImage</c>.</summary>
    public FakeAuth? Auth => Requests is [var request, ..] ? FakeImages.ReadAuth(request) : null;

    public CancellationToken Cancelled => Stream.Cancelled;

    /// <summary>
    /// When, and whether, the caller's cancellation was seen, on the clock of <see cref="System.Diagnostics.Stopwatch"/>.
    /// </summary>
    public long? CancelledAt { get; internal set; }

    public string? Find(string name) => Headers.Where(field => field.Name == name).Select(field => field.Value).FirstOrDefault();

    /// <summary>The next request message, inflated; null at the caller's end.</summary>
    public async Task<byte[]?> ReadAsync()
    {
        if (await Stream.ReadMessageAsync() is not { } message) return null;
        var content = message.Content;
        lock (requests) requests.Add(content);
        return content;
    }

    /// <summary>The only request message of a unary call.</summary>
    public async Task<byte[]> ReadRequestAsync()
    {
        var request = await ReadAsync() ?? throw new InvalidDataException("no request");
        if (await Stream.ReadMessageAsync() is not null) throw new InvalidDataException("more than one request");
        return request;
    }

    public void SendHeaders(params IEnumerable<Header> metadata)
    {
        hasSentHeaders = true;
        Stream.SendHeaders([.. ResponseHeaders, .. metadata]);
    }

    public Task SendAsync(byte[] message, bool gzip = false)
    {
        if (!hasSentHeaders) SendHeaders(gzip ? [("grpc-encoding", "gzip")] : []);
        return Stream.SendMessageAsync(message, gzip: gzip);
    }

    public void Finish(params IEnumerable<Header> trailers) => Fail(0, "", trailers);

    /// <summary>Ends the call; before any headers, with trailers only.</summary>
    public void Fail(int status, string text, params IEnumerable<Header> trailers)
    {
        List<Header> all = [.. hasSentHeaders ? [] : ResponseHeaders, ("grpc-status", status.ToString())];
        if (text.Length > 0) all.Add(("grpc-message", PercentEncode(text)));
        Stream.SendHeaders([.. all, .. trailers], end: true);
    }

    /// <summary>One message and OK.</summary>
    public async Task AnswerAsync(byte[] message)
    {
        await SendAsync(message);
        Finish();
    }

    /// <summary>What gRPC asks of <c>grpc-message</c>: printable ASCII but for the percent sign, the rest percent-encoded UTF-8.</summary>
    private static string PercentEncode(string text) =>
        string.Concat(Encoding.UTF8.GetBytes(text)
            .Select(octet => octet is >= 0x20 and <= 0x7e and not (byte)'%' ? ((char)octet).ToString() : $"%{octet:X2}"));
}
