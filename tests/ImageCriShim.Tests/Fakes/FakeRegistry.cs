using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Threading.Channels;

namespace ImageCriShim.Tests.Fakes;

/// <summary>
/// A small working registry on a real socket: HTTP/1.1, kept-alive connections, TLS where a certificate is given. It knows
/// the manifests put into it; <see cref="Behave"/> makes it misbehave.
/// </summary>
internal sealed class FakeRegistry : IAsyncDisposable
{
    public const string OciIndex = "application/vnd.oci.image.index.v1+json";
    public const string OciManifest = "application/vnd.oci.image.manifest.v1+json";
    public const string ManifestJson = """{"schemaVersion":2,"config":{},"layers":[]}""";

    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stopping = new();
    private readonly ConcurrentDictionary<string, (string Type, byte[] Body)> manifests = new();
    private readonly ConcurrentQueue<FakeRequest> requests = new();
    private readonly Channel<FakeRequest> arrivals = Channel.CreateUnbounded<FakeRequest>();
    private readonly X509Certificate2? certificate;
    private readonly bool asksForClientCertificate;
    private int connections;
    private int open;
    private long sent;

    private FakeRegistry(X509Certificate2? certificate, bool asksForClientCertificate)
    {
        (this.certificate, this.asksForClientCertificate) = (certificate, asksForClientCertificate);
        listener.Start(backlog: 512); // stress tests connect all at once
        _ = Accept();
    }

    /// <summary>What to answer; null for what a registry would.</summary>
    public Func<FakeRequest, FakeAnswer?> Behave { get; set; } = _ => null;

    /// <summary>If set, the registry wants it (Basic) for everything.</summary>
    public (string User, string Password)? Account { get; set; }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;
    public string Host => $"127.0.0.1:{Port}";
    public string Address => $"{(certificate is null ? "http" : "https")}://{Host}";
    public IReadOnlyCollection<FakeRequest> Requests => requests;

    /// <summary>How many there have been.</summary>
    public int Connections => Volatile.Read(ref connections);

    /// <summary>How many there are.</summary>
    public int OpenConnections => Volatile.Read(ref open);

    /// <summary>How much of bodies the other side has taken, its and our buffers included.</summary>
    public long BodyBytesSent => Volatile.Read(ref sent);

    public static FakeRegistry Start() => new(null, false);

    public static FakeRegistry StartWithTls(X509Certificate2 certificate, bool asksForClientCertificate = false) =>
        new(certificate, asksForClientCertificate);

    /// <returns>The manifest's digest, under which it is known as well.</returns>
    public string Add(string repository, string tag, string json = ManifestJson, string type = OciManifest)
    {
        var body = Encoding.UTF8.GetBytes(json);
        var digest = Digest(body);
        manifests[$"/v2/{repository}/manifests/{tag}"] = (type, body);
        manifests[$"/v2/{repository}/manifests/{digest}"] = (type, body);
        return digest;
    }

    /// <summary>The next request that has not been waited for yet.</summary>
    public async Task<FakeRequest> NextRequest()
    {
        var patience = TimeSpan.FromSeconds(30); // a machine may be busy; a test must not hang
        return await arrivals.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(patience);
    }

    public int CountOf(string repository) => requests.Count(r => r.Path.StartsWith($"/v2/{repository}/manifests/", StringComparison.Ordinal));

    public ValueTask DisposeAsync()
    {
        stopping.Cancel();
        listener.End();
        return ValueTask.CompletedTask;
    }

    private async Task Accept()
    {
        while (!stopping.IsCancellationRequested)
        {
            Socket socket;
            try
            {
                socket = await listener.AcceptSocketAsync(stopping.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return; // stopped
            }
            Interlocked.Increment(ref connections);
            _ = Serve(socket);
        }
    }

    private async Task Serve(Socket socket)
    {
        Interlocked.Increment(ref open);
        try
        {
            await using var plain = new NetworkStream(socket, ownsSocket: true);
            await using var stream = certificate is null ? (Stream)plain : await Secure(plain);
            var reader = new StreamReader(stream, Encoding.Latin1);
            for (var nth = 1; await Read(reader, stream, nth) is { } request && await Answer(socket, stream, request); nth++)
            {
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or System.Security.Authentication.AuthenticationException)
        {
            // The other side has gone or does not believe us: a registry takes that calmly.
        }
        finally
        {
            Interlocked.Decrement(ref open);
        }
    }

    private async Task<SslStream> Secure(Stream plain)
    {
        var secure = new SslStream(plain);
        await secure.AuthenticateAsServerAsync(
            new SslServerAuthenticationOptions
            {
                ServerCertificate = certificate,
                ClientCertificateRequired = asksForClientCertificate,
                RemoteCertificateValidationCallback = (_, shown, _, _) => !asksForClientCertificate || shown is not null,
            },
            stopping.Token);
        return secure;
    }

    private async Task<FakeRequest?> Read(StreamReader reader, Stream stream, int nth)
    {
        var parts = (await reader.ReadLineAsync(stopping.Token))?.Split(' ') ?? [];
        if (parts.Length == 0)
            return null; // gone
        if (parts.Length != 3 || !parts[2].StartsWith("HTTP/", StringComparison.Ordinal))
        {
            // TLS where none is spoken: what web servers answer to it. Then the other side closes, so that nothing is lost by a reset.
            await stream.WriteAsync("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"u8.ToArray(), stopping.Token);
            await reader.ReadToEndAsync(stopping.Token);
            return null;
        }
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        while (await reader.ReadLineAsync(stopping.Token) is { Length: > 0 } header)
        {
            var colon = header.IndexOf(':');
            headers.Add(header[..colon], header[(colon + 1)..].Trim()); // throws if a header comes twice
        }
        var body = new char[int.Parse(headers.GetValueOrDefault("Content-Length", "0"), CultureInfo.InvariantCulture)];
        if (body.Length > 0)
            await reader.ReadBlockAsync(body, stopping.Token);
        var request = new FakeRequest(parts[0], parts[1], headers, new string(body), nth);
        return request;
    }

    private async Task<bool> Answer(Socket socket, Stream stream, FakeRequest request)
    {
        var answer = Behave(request) ?? AsRegistry(request); // before it is seen: whoever sees it may change what comes next
        requests.Enqueue(request);
        arrivals.Writer.TryWrite(request);
        await answer.When.WaitAsync(stopping.Token);
        if (answer.Raw is { } raw)
        {
            await stream.WriteAsync(raw, stopping.Token);
            if (answer.IsReset)
                socket.LingerState = new LingerOption(true, 0);
            else if (stream is SslStream secure)
                await secure.ShutdownAsync();
            return false;
        }
        var head = new StringBuilder($"HTTP/1.1 {answer.Status} Answer\r\n");
        foreach (var (name, value) in answer.Headers)
            head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        foreach (var challenge in answer.Challenges)
            head.Append(CultureInfo.InvariantCulture, $"WWW-Authenticate: {challenge}\r\n");
        head.Append(CultureInfo.InvariantCulture, $"Content-Length: {answer.Length ?? answer.Body.Length}\r\n\r\n");
        await stream.WriteAsync(Encoding.Latin1.GetBytes(head.ToString()), stopping.Token);
        if (request.Method != "HEAD")
            await WriteBody(stream, answer);
        return true;
    }

    private async Task WriteBody(Stream stream, FakeAnswer answer)
    {
        await stream.WriteAsync(answer.Body, stopping.Token);
        var filler = new byte[64 * 1024];
        for (var left = answer.IsFilled ? answer.Length - answer.Body.Length : 0; left > 0; left -= filler.Length)
        {
            await stream.WriteAsync(filler.AsMemory(0, (int)Math.Min(left.Value, filler.Length)), stopping.Token);
            Interlocked.Add(ref sent, filler.Length);
        }
        await answer.Then.WaitAsync(stopping.Token);
    }

    private FakeAnswer AsRegistry(FakeRequest request)
    {
        if (Account is { } account && request.Authorization != Basic(account))
            return new FakeAnswer(401) { Headers = { ["WWW-Authenticate"] = "Basic realm=\"fake\"" } };
        if (request.Path == "/v2/")
            return new FakeAnswer(200);
        return manifests.TryGetValue(request.Path, out var manifest)
            ? new FakeAnswer(200) { Body = manifest.Body, Headers = { ["Content-Type"] = manifest.Type, ["Docker-Content-Digest"] = Digest(manifest.Body) } }
            : new FakeAnswer(404);
    }

    private static string Basic((string User, string Password) account) =>
        "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{account.User}:{account.Password}"));

    private static string Digest(byte[] body) => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(body))}";
}

/// <param name="Nth">Of its connection, counted from 1.</param>
internal sealed record FakeRequest(string Method, string Path, IReadOnlyDictionary<string, string> Headers, string Body, int Nth)
{
    public string? Authorization => Headers.GetValueOrDefault("Authorization");
}

internal sealed record FakeAnswer(int Status)
{
    public Dictionary<string, string> Headers { get; init; } = [];
    public byte[] Body { get; init; } = [];

    /// <summary>A <c>WWW-Authenticate</c> header for each.</summary>
    public string[] Challenges { get; init; } = [];

    /// <summary>The length that is promised, if it is another than the body's.</summary>
    public long? Length { get; init; }

    /// <summary>Whether that length is kept, with zeros.</summary>
    public bool IsFilled { get; init; }

    /// <summary>Written as it is instead of all else; then the connection is closed.</summary>
    public byte[]? Raw { get; init; }

    /// <summary>Whether it is closed by a reset.</summary>
    public bool IsReset { get; init; }

    /// <summary>Answered only then.</summary>
    public Task When { get; init; } = Task.CompletedTask;

    /// <summary>Only then is the connection's next request read.</summary>
    public Task Then { get; init; } = Task.CompletedTask;

    public static FakeAnswer Hang => new(200) { When = Never };

    public static Task Never { get; } = new TaskCompletionSource().Task;

    public static FakeAnswer RawText(string text) => new(200) { Raw = Encoding.Latin1.GetBytes(text) };

    public static FakeAnswer Json(int status, string json) =>
        new(status) { Body = Encoding.UTF8.GetBytes(json), Headers = { ["Content-Type"] = "application/json" } };

    public static FakeAnswer Manifest(string type, string json = FakeRegistry.ManifestJson) =>
        new(200) { Body = Encoding.UTF8.GetBytes(json), Headers = { ["Content-Type"] = type } };

    public static FakeAnswer RedirectTo(string location, int status = 307) => new(status) { Headers = { ["Location"] = location } };
}
