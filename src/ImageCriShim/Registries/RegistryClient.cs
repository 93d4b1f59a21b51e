using System.Net;
using System.Net.Sockets;
using ImageCriShim.Images;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Registries.Connecting;

namespace ImageCriShim.Registries;

/// <summary>
/// Asks registries whether they have a manifest, over the OCI distribution protocol. One object for all registries and all
/// calls: it holds the connections. What can be expected to fail comes back as a <see cref="ProbeResult"/>.
/// </summary>
internal sealed class RegistryClient : IDisposable
{
    /// <summary>Hosts whose port is tried at once; each takes a socket, for a quarter of a second. Who comes later waits for his turn.</summary>
    internal const int MaxTries = 64;

    /// <summary>For his turn: as long as all pulls that there may be take, one after the other.</summary>
    private static readonly TimeSpan s_longestWait = TimeSpan.FromSeconds(20);

    /// <summary>After which a question that was put before a reload has its answer, or is given up.</summary>
    private static readonly TimeSpan s_longestQuestion = TimeSpan.FromMinutes(1);

    private readonly SharedWork<(string Host, int Port, TimeSpan Patience), bool> _tries = new();
    private readonly Places _places;
    private readonly TimeProvider _time;
    private readonly Connector _connector;
    private readonly RegistryConnections _connections;
    private readonly ManifestRequests _requests;
    private readonly Lazy<ManifestRequests> _greetings;
    private readonly ManifestQuestion _question;

    /// <param name="time">Measures patience and the lives of tokens.</param>
    /// <param name="environment">Where the proxies stand; by default the process's own.</param>
    /// <param name="platform">What images have to be for; by default this node.</param>
    /// <param name="lookUp">Finds the addresses of names; by default the system's resolver.</param>
    public RegistryClient(
        TimeProvider time, Func<string, string?>? environment = null, Platform? platform = null, NameLookup? lookUp = null)
    {
        _time = time;
        _places = new Places(MaxTries, int.MaxValue, time);
        _connector = new Connector(time, lookUp ?? Dns.GetHostAddressesAsync);
        _connections = new RegistryConnections(new SystemProxy(environment ?? Environment.GetEnvironmentVariable), _connector);
        _requests = new ManifestRequests(_connections, time);
        _greetings = new Lazy<ManifestRequests>(() => new ManifestRequests(_connections, time, isGreeting: true));
        _question = new ManifestQuestion(platform ?? Platform.OfThisNode, time);
    }

    /// <param name="registry">Whom to ask.</param>
    /// <param name="image">The image's name at that registry.</param>
    /// <param name="patience">How long to wait for the answer, redirects included (<c>probeTimeout</c>).</param>
    /// <param name="cancellation">Nobody wants the answer any more.</param>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was.</exception>
    public async Task<ProbeResult> Probe(Registry registry, Reference image, TimeSpan patience, CancellationToken cancellation)
    {
        var started = _time.GetTimestamp();
        using var timeout = new CancellationTokenSource(patience, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timeout.Token);
        CredentialAnswer? account = null;
        ProbeResult result;
        try
        {
            account = registry.Credentials is { } source ? await source.Find(image, either.Token) : default(CredentialAnswer);
            result = await Ask(registry, account.Value, image, either.Token);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            result = new ProbeResult.Unreachable(WhyLate(e, timeout, patience, registry, account is null))
            {
                IsOfConnection = e is NotConnectedException || !timeout.IsCancellationRequested,
                IsLate = timeout.IsCancellationRequested && account is not null && e is not (NoTokenInTimeException or NotConnectedException),
            };
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            var isOurs = e is OwnLimitException || Descriptors.AreExhausted(e);
            result = new ProbeResult.Unreachable(FailureReason.Of(e) + (isOurs ? "" : _connections.By(registry.Address.Endpoint)))
            {
                IsOurs = isOurs,
                IsOfConnection = FailureReason.IsOfConnection(e),
            };
        }
        return result with { Elapsed = _time.GetElapsedTime(started), CredentialFrom = account is { Credential: not null } ? account.Value.From : null };
    }

    /// <summary>Asks nothing but whether there is a registry, and whether it takes the credential.</summary>
    /// <param name="registry">Whom to ask.</param>
    /// <param name="image">The name of an image there, which need not be: accounts and tokens are for such.</param>
    /// <param name="patience">How long to wait for the answer.</param>
    /// <param name="cancellation">Nobody wants the answer any more.</param>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was.</exception>
    public async Task<Greeting> Greet(Registry registry, Reference image, TimeSpan patience, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(patience, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timeout.Token);
        CredentialAnswer account = default;
        try
        {
            account = registry.Credentials is { } source ? await source.Find(image, either.Token) : default;
            using var reply = await _greetings.Value.Send(HttpMethod.Get, registry, account, image, either.Token);
            var words = reply is { Failure: null, Response.IsSuccessStatusCode: false }
                ? await RegistryErrors.Read(reply, account.Credential, EchoedNames.None, either.Token)
                : null;
            return Greeting.Of(reply, account, words);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            return new Greeting(account) { Failure = e, Reason = WhyLate(e, timeout, patience, registry, isAccountMissing: false) };
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return new Greeting(account) { Failure = e, Reason = FailureReason.Of(e) + _connections.By(registry.Address.Endpoint) };
        }
    }

    /// <summary>Whether the registry's port can be connected to at all, name and proxy included: the cheapest sign of life.</summary>
    /// <returns>False on any failure, and when <paramref name="patience"/> is at its end. All who want to know it at the same time share one try.</returns>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was.</exception>
    public Task<bool> CanConnect(RegistryAddress address, TimeSpan patience, CancellationToken cancellation)
    {
        var hop = _connections.FindHop(address.Endpoint);
        return _tries.Join((hop.IdnHost, hop.Port, patience), abandoned => TryConnect(hop, patience, abandoned), cancellation);
    }

    /// <summary>
    /// After a reload: connections of registries that do TLS as one of these does stay as they are, all others are closed. A question that is
    /// still put as the settings were makes one anew, which the next reload closes. What registries said that they want, and their tokens,
    /// are forgotten of each whose TLS or credential is another now.
    /// </summary>
    /// <param name="before">The registries of the settings until now.</param>
    /// <param name="registries">Those from now on.</param>
    public void Keep(IReadOnlyCollection<Registry> before, IReadOnlyCollection<Registry> registries)
    {
        _requests.Keep(RegistryIdentity.Unchanged(before, registries));
        var used = registries.SelectMany(registry => new[] { registry.Tls, registry.Tls.ForOtherHosts }).Append(TlsSettings.Default).ToHashSet();
        foreach (var pool in _connections.Keep(used))
            _ = DisposeLater(pool);
    }

    public void Dispose() => _connections.Dispose();

    private async Task DisposeLater(IDisposable pool)
    {
        await Task.Delay(s_longestQuestion, _time);
        pool.Dispose();
    }

    private async Task<bool> TryConnect(Uri hop, TimeSpan patience, CancellationToken cancellation)
    {
        using var place = await _places.Enter(s_longestWait, cancellation);
        if (place is null)
            return false;
        using var timeout = new CancellationTokenSource(patience, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timeout.Token);
        try
        {
            await _connector.Try(hop, patience, either.Token);
            return true;
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException && !cancellation.IsCancellationRequested)
        {
            return false;
        }
    }

    private string WhyLate(OperationCanceledException e, CancellationTokenSource timeout, TimeSpan patience, Registry registry, bool isAccountMissing)
    {
        if (!timeout.IsCancellationRequested)
            return $"no answer{_connections.By(registry.Address.Endpoint)}"; // the pool was closed meanwhile
        return e is NotConnectedException { Stage: var stage }
            ? stage.Describe(patience) + _connections.By(registry.Address.Endpoint)
            : $"{WhatIsLate(e, isAccountMissing)} within {patience.TotalSeconds:0.###} s";
    }

    private static string WhatIsLate(OperationCanceledException e, bool isAccountMissing) => e switch
    {
        NoTokenInTimeException late => $"its token server {late.TokenServer}: no answer",
        _ when isAccountMissing => "no credential from where it is configured",
        _ => "no answer",
    };

    private Task<ProbeResult> Ask(Registry registry, CredentialAnswer account, Reference image, CancellationToken cancellation) =>
        _question.Ask(image, account.Credential, method => _requests.Send(method, registry, account, image, cancellation), cancellation);
}
