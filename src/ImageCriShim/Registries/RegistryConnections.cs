using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace ImageCriShim.Registries;

/// <summary>Kept-alive connections to registries: one pool for each way of doing TLS.</summary>
internal sealed class RegistryConnections : IDisposable
{
    public static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(2); // a dead registry must not cost more

    private static readonly TimeSpan s_idleTimeout = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan s_lifetime = TimeSpan.FromMinutes(5); // so that a changed DNS name is noticed
    private const int MaxPerServer = 32; // a node starts far fewer different images at once; the rest wait in line
    private const int MaxHeaderKilobytes = 64; // an answer's headers are a few hundred bytes

    private readonly Dictionary<TlsSettings, HttpMessageInvoker> _pools = [];
    private readonly Lock _gate = new();

    public HttpMessageInvoker For(TlsSettings tls)
    {
        lock (_gate)
        {
            if (!_pools.TryGetValue(tls, out var pool))
                _pools.Add(tls, pool = new HttpMessageInvoker(CreateHandler(tls)));
            return pool;
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

    private static SocketsHttpHandler CreateHandler(TlsSettings tls) => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None, // digests are of the bytes as they are
        ConnectTimeout = ConnectTimeout,
        PooledConnectionIdleTimeout = s_idleTimeout,
        PooledConnectionLifetime = s_lifetime,
        MaxConnectionsPerServer = MaxPerServer,
        MaxResponseHeadersLength = MaxHeaderKilobytes,
        ActivityHeadersPropagator = null, // a registry has no business with our traces
        SslOptions = SslOptions(tls),
    };

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
