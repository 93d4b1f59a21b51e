using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace ImageCriShim.Registries;

/// <summary>Kept-alive connections to registries and their token servers, over the system's proxy: one pool for each way of doing TLS.</summary>
internal sealed class RegistryConnections(SystemProxy proxy) : IDisposable
{
    public const string ClientName = "image-cri-shim";

    public static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(2); // a dead registry must not cost more

    private static readonly TimeSpan s_idleTimeout = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan s_lifetime = TimeSpan.FromMinutes(5); // so that a changed DNS name is noticed
    internal const int MaxPerServer = 32; // a node starts far fewer different images at once; ProbeLines has the rest wait
    private const int MaxHeaderKilobytes = 64; // an answer's headers are a few hundred bytes

    private const int MaxDrainBytes = 64 * 1024; // of an answer that nobody reads; with more left to come, a new connection is cheaper
    private static readonly TimeSpan s_drainTimeout = TimeSpan.FromSeconds(1);
    private static readonly string s_userAgent = $"{ClientName}/{ShimVersion.Text}";

    private static readonly HttpRequestOptionsKey<bool> s_isElsewhere = new("is-elsewhere");

    private readonly Dictionary<TlsSettings, HttpMessageInvoker> _pools = [];
    private readonly Lock _gate = new();

    /// <summary>Where to connect to for this: the host itself, or the proxy before it.</summary>
    public Uri FindHop(Uri uri) => proxy.GetProxy(uri) ?? uri;

    /// <summary>For the end of a failure's reason: whose failure it may be.</summary>
    public string By(Uri uri) => proxy.GetProxy(uri) is { } hop ? $" (asked over the proxy {hop.Authority})" : "";

    /// <param name="request">What to ask.</param>
    /// <param name="tls">How.</param>
    /// <param name="isElsewhere">Whether a registry has named the host, and not the settings.</param>
    /// <param name="cancellation">Nobody wants the answer any more.</param>
    /// <returns>The answer as soon as its headers are there.</returns>
    public Task<HttpResponseMessage> Send(HttpRequestMessage request, TlsSettings tls, bool isElsewhere, CancellationToken cancellation)
    {
        request.Options.Set(s_isElsewhere, isElsewhere);
        request.Headers.TryAddWithoutValidation("User-Agent", s_userAgent);
        return For(tls).SendAsync(request, cancellation);
    }

    /// <summary>Takes the pools of all other ways out. Requests that they have begun are not disturbed.</summary>
    /// <returns>What is to be disposed of once nobody is about to send over it any more.</returns>
    public IReadOnlyList<IDisposable> Keep(IReadOnlySet<TlsSettings> used)
    {
        lock (_gate)
        {
            var others = _pools.Where(pool => !used.Contains(pool.Key)).ToList();
            others.ForEach(pool => _pools.Remove(pool.Key));
            return [.. others.Select(pool => pool.Value)];
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var pool in _pools.Values)
                pool.Dispose();
        }
    }

    private HttpMessageInvoker For(TlsSettings tls)
    {
        lock (_gate)
        {
            if (!_pools.TryGetValue(tls, out var pool))
                _pools.Add(tls, pool = new HttpMessageInvoker(CreateHandler(tls)));
            return pool;
        }
    }

    private SocketsHttpHandler CreateHandler(TlsSettings tls) => new()
    {
        Proxy = proxy,
        AllowAutoRedirect = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None, // digests are of the bytes as they are
        ConnectCallback = Connect,
        ConnectTimeout = ConnectTimeout,
        PooledConnectionIdleTimeout = s_idleTimeout,
        PooledConnectionLifetime = s_lifetime,
        MaxConnectionsPerServer = MaxPerServer,
        MaxResponseDrainSize = MaxDrainBytes,
        ResponseDrainTimeout = s_drainTimeout,
        MaxResponseHeadersLength = MaxHeaderKilobytes,
        ActivityHeadersPropagator = null, // a registry has no business with our traces
        SslOptions = SslOptions(tls),
    };

    private static async ValueTask<Stream> Connect(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var (request, host) = (context.InitialRequestMessage, context.DnsEndPoint);
        var isProxy = !string.Equals(request.RequestUri?.IdnHost, host.Host, StringComparison.OrdinalIgnoreCase);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            if (request.Options.TryGetValue(s_isElsewhere, out var isElsewhere) && isElsewhere && !isProxy)
                await LinkLocal.ConnectElsewhere(socket, host, cancellation);
            else
                await socket.ConnectAsync(host, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static SslClientAuthenticationOptions SslOptions(TlsSettings tls)
    {
        var options = new SslClientAuthenticationOptions
        {
            RemoteCertificateValidationCallback = new ServerCertificate(tls).Verify,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck, // an air-gapped node reaches no revocation list
        };
        if (tls.LoadCertificate() is { } certificate)
            options.ClientCertificateContext = SslStreamCertificateContext.Create(certificate, tls.LoadCertificateChain(), offline: true);
        return options;
    }
}
