using System.Net;
using System.Net.Security;
using ImageCriShim.Registries.Connecting;

namespace ImageCriShim.Registries;

/// <summary>Kept-alive connections to registries and their token servers, over the system's proxy: one pool for each way of doing TLS.</summary>
/// <param name="proxy">Whose way leads over which proxy.</param>
/// <param name="connector">Makes the connections.</param>
internal sealed class RegistryConnections(SystemProxy proxy, Connector connector) : IDisposable
{
    public const string ClientName = "image-cri-shim";

    private static readonly TimeSpan s_idleTimeout = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan s_lifetime = TimeSpan.FromMinutes(5); // so that a changed DNS name is noticed
    internal const int MaxPerServer = 32; // a node starts far fewer different images at once; ProbeLines has the rest wait
    private const int MaxHeaderKilobytes = 64; // an answer's headers are a few hundred bytes

    private const int MaxDrainBytes = 64 * 1024; // of an answer that nobody reads; with more left to come, a new connection is cheaper
    private static readonly TimeSpan s_drainTimeout = TimeSpan.FromSeconds(1);
    internal static readonly string UserAgent = $"{ClientName}/{ShimVersion.Text}";

    private static readonly HttpRequestOptionsKey<bool> s_isElsewhere = new("is-elsewhere");
    private static readonly HttpRequestOptionsKey<RequestTrace> s_trace = new("trace");

    private readonly Dictionary<(TlsSettings Tls, bool IsNew), HttpMessageInvoker> _pools = [];
    private readonly Lock _gate = new();

    /// <summary>Where to connect to for this: the host itself, or the proxy before it.</summary>
    public Uri FindHop(Uri uri) => proxy.GetProxy(uri) ?? uri;

    /// <summary>For the end of a failure's reason: whose failure it may be.</summary>
    public string By(Uri uri) => proxy.GetProxy(uri) is { } hop ? $" (asked over the proxy {hop.Authority})" : "";

    /// <summary>
    /// Sends a request. HEAD and GET are sent once more, over a new connection, where a kept one broke before the response began, or where the
    /// request came too late (408, RFC 9110 section 15.5.9): that says nothing about the registry.
    /// </summary>
    /// <param name="request">What to ask.</param>
    /// <param name="tls">How.</param>
    /// <param name="isElsewhere">Whether a registry has named the host, and not the settings.</param>
    /// <param name="cancellation">Nobody wants the answer any more.</param>
    /// <returns>The answer as soon as its headers are there.</returns>
    /// <exception cref="HttpRequestException">There is none; <see cref="FailureReason"/> says why.</exception>
    /// <exception cref="NotConnectedException"><paramref name="cancellation"/> was, while the connection was being made.</exception>
    public async Task<HttpResponseMessage> Send(HttpRequestMessage request, TlsSettings tls, bool isElsewhere, CancellationToken cancellation)
    {
        request.Options.Set(s_isElsewhere, isElsewhere);
        request.Headers.TryAddWithoutValidation("User-Agent", UserAgent);
        request.Headers.TryAddWithoutValidation("Accept-Encoding", "identity"); // sizes and digests are of what is not packed
        if (!proxy.MakesTunnel(request.RequestUri!))
            request.Headers.ProxyAuthorization = proxy.FindCredential(request.RequestUri!);
        var trace = new RequestTrace();
        try
        {
            var response = await Send(For(tls, isNew: false), request, trace, cancellation);
            if (response.StatusCode != HttpStatusCode.RequestTimeout || !CanBeRepeated(request))
                return response;
            response.Dispose();
        }
        catch (HttpRequestException) when (trace is { IsOnKept: true, IsAnswered: false } && CanBeRepeated(request))
        {
            // Once more, below.
        }
        return await Send(For(tls, isNew: true), request, new RequestTrace(), cancellation);
    }

    /// <summary>Takes the pools of all other ways out. Requests that they have begun are not disturbed.</summary>
    /// <returns>What is to be disposed of once nobody is about to send over it any more.</returns>
    public IReadOnlyList<IDisposable> Keep(IReadOnlySet<TlsSettings> used)
    {
        lock (_gate)
        {
            var others = _pools.Where(pool => !used.Contains(pool.Key.Tls)).ToList();
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

    private static bool CanBeRepeated(HttpRequestMessage request) => request.Method == HttpMethod.Head || request.Method == HttpMethod.Get;

    private async Task<HttpResponseMessage> Send(
        HttpMessageInvoker pool, HttpRequestMessage request, RequestTrace trace, CancellationToken cancellation)
    {
        request.Options.Set(s_trace, trace);
        RequestTrace.Current.Value = trace;
        try
        {
            var response = await pool.SendAsync(request, cancellation);
            if (response.StatusCode != HttpStatusCode.ProxyAuthenticationRequired || proxy.GetProxy(request.RequestUri!) is null)
                return response;
            response.Dispose();
            throw new HttpRequestException(HttpRequestError.ProxyTunnelError, statusCode: HttpStatusCode.ProxyAuthenticationRequired);
        }
        catch (OperationCanceledException e) when (trace.Stage is not ConnectStage.None and var stage)
        {
            throw new NotConnectedException(stage, e);
        }
    }

    private HttpMessageInvoker For(TlsSettings tls, bool isNew)
    {
        lock (_gate)
        {
            if (!_pools.TryGetValue((tls, isNew), out var pool))
                _pools.Add((tls, isNew), pool = new HttpMessageInvoker(CreateHandler(new TlsClient(tls), isNew)));
            return pool;
        }
    }

    /// <param name="tls">How TLS is spoken.</param>
    /// <param name="isNew">Whether each request gets a new connection.</param>
    private SocketsHttpHandler CreateHandler(TlsClient tls, bool isNew)
    {
        var handler = CreateHandler(proxy, connector, tls.OptionsFor);
        handler.AutomaticDecompression = DecompressionMethods.None; // a bomb would be unpacked without a bound
        handler.PooledConnectionIdleTimeout = s_idleTimeout;
        handler.PooledConnectionLifetime = isNew ? TimeSpan.Zero : s_lifetime;
        handler.MaxConnectionsPerServer = MaxPerServer;
        handler.MaxResponseDrainSize = MaxDrainBytes;
        handler.ResponseDrainTimeout = s_drainTimeout;
        handler.MaxResponseHeadersLength = MaxHeaderKilobytes;
        return handler;
    }

    /// <summary>Makes a handler whose connections come from the connector.</summary>
    /// <param name="proxy">Whose way leads over which proxy.</param>
    /// <param name="connector">Makes the connections.</param>
    /// <param name="tls">How TLS is spoken with a host.</param>
    internal static SocketsHttpHandler CreateHandler(SystemProxy proxy, Connector connector, Func<string?, SslClientAuthenticationOptions> tls) => new()
    {
        Proxy = new HandlerProxy(proxy),
        AllowAutoRedirect = false,
        UseCookies = false,
        ConnectCallback = async (context, cancellation) =>
        {
            var request = context.InitialRequestMessage;
            var isElsewhere = request.Options.TryGetValue(s_isElsewhere, out var elsewhere) && elsewhere;
            var trace = request.Options.TryGetValue(s_trace, out var known) ? known : new RequestTrace();
            return await connector.Open(Route.Find(proxy, request.RequestUri!, tls, isElsewhere), trace, cancellation);
        },
        ConnectTimeout = Timeout.InfiniteTimeSpan, // the connector has its own
        PlaintextStreamFilter = (context, _) => new ValueTask<Stream>(new ServingStream(context.PlaintextStream)),
        ActivityHeadersPropagator = null, // a registry has no business with our traces
        SslOptions = tls(null), // of a proxy of plain http registries that itself speaks https
    };
}
