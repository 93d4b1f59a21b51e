using System.Text.Json;

namespace ImageCriShim.Hosting;

/// <summary>Asks the daemon that runs on this node, over its private socket.</summary>
internal sealed class StatusClient : IDisposable
{
    private const string Host = "http://image-cri-shim"; // HTTP wants a name

    private readonly HttpClient _http;

    /// <param name="socket">The path of the private socket.</param>
    /// <param name="patience">Of each request.</param>
    public StatusClient(string socket, TimeSpan patience)
    {
        Socket = socket;
        _http = UnixHttp.CreateClient(socket, patience);
    }

    public string Socket { get; }

    /// <exception cref="HttpRequestException"/>
    /// <exception cref="OperationCanceledException"/>
    public Task<string> Get(string path, CancellationToken cancellation) => _http.GetStringAsync(new Uri($"{Host}{path}"), cancellation);

    /// <summary>The page that <c>image-cri-shim status</c> shows.</summary>
    /// <exception cref="HttpRequestException"/>
    /// <exception cref="OperationCanceledException"/>
    /// <exception cref="JsonException">It is none.</exception>
    public async Task<JsonDocument> GetStatus(CancellationToken cancellation) => JsonDocument.Parse(await Get("/status", cancellation));

    /// <returns>The status of HTTP, and the body.</returns>
    /// <exception cref="HttpRequestException"/>
    /// <exception cref="OperationCanceledException"/>
    public async Task<(int Status, string Body)> Post(string target, ReadOnlyMemory<byte> body, CancellationToken cancellation)
    {
        using var content = new ReadOnlyMemoryContent(body);
        using var response = await _http.PostAsync(new Uri($"{Host}{target}"), content, cancellation);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(cancellation));
    }

    public void Dispose() => _http.Dispose();
}
