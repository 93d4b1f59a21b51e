using System.Net.Sockets;
using ImageCriShim.Images;
using ImageCriShim.Registries.Auth;

namespace ImageCriShim.Registries;

/// <summary>
/// Asks registries whether they have a manifest, over the OCI distribution protocol. One object for all registries and all
/// calls: it holds the connections. What can be expected to fail comes back as a <see cref="ProbeResult"/>.
/// </summary>
internal sealed class RegistryClient : IDisposable
{
    private readonly TimeProvider _time;
    private readonly RegistryConnections _connections = new();
    private readonly ManifestRequests _requests;
    private readonly ManifestQuestion _question;

    /// <param name="time">The clock.</param>
    /// <param name="platform">What images have to be for; null: this node.</param>
    public RegistryClient(TimeProvider time, Platform? platform = null)
    {
        _time = time;
        _question = new ManifestQuestion(platform ?? Platform.OfThisNode, time);
        _requests = new ManifestRequests(_connections);
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
        CredentialAnswer account = default;
        ProbeResult result;
        try
        {
            if (registry.Credentials is { } source)
                account = await source.Find(image, either.Token);
            result = await Ask(registry, account, image, either.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            var (what, limit) = timeout.IsCancellationRequested
                ? ("answer", patience)
                : ("connection", RegistryConnections.ConnectTimeout);
            result = new ProbeResult.Unreachable($"no {what} within {limit.TotalSeconds:0.###} s");
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            result = new ProbeResult.Unreachable(FailureReason.Of(e));
        }
        return result with { Elapsed = _time.GetElapsedTime(started), CredentialFrom = account.Credential is null ? null : account.From };
    }

    /// <summary>Whether the registry's port can be connected to at all, name and proxy included: the cheapest sign of life.</summary>
    /// <returns>False on any failure, and when <paramref name="patience"/> is at its end.</returns>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was.</exception>
    public async Task<bool> CanConnect(RegistryAddress address, TimeSpan patience, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(patience, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timeout.Token);
        try
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(address.Endpoint.IdnHost, address.Endpoint.Port, either.Token);
            return true;
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException && !cancellation.IsCancellationRequested)
        {
            return false;
        }
    }

    public void Dispose() => _connections.Dispose();

    private Task<ProbeResult> Ask(Registry registry, CredentialAnswer account, Reference image, CancellationToken cancellation) =>
        _question.Ask(image, account.Credential, method => _requests.Send(method, registry, account, image, cancellation), cancellation);
}
