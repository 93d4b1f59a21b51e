using System.Net.Http.Headers;
using ImageCriShim.Images;
using ImageCriShim.Registries.Auth;

namespace ImageCriShim.Registries;

/// <summary>
/// Asks registries whether they have a manifest, over the OCI distribution protocol. One object for all registries and all
/// calls: it holds the connections. What can be expected to fail comes back as a <see cref="ProbeResult"/>.
/// </summary>
internal sealed class RegistryClient(TimeProvider time) : IDisposable
{
    private const int MaxRedirects = 5; // registry.k8s.io and Quay need one; a loop ends

    private static readonly string s_userAgent = $"image-cri-shim/{ShimVersion.Text}";

    private readonly RegistryConnections _connections = new();

    /// <param name="registry">Whom to ask.</param>
    /// <param name="image">The image's name at that registry.</param>
    /// <param name="patience">How long to wait for the answer, redirects included (<c>probeTimeout</c>).</param>
    /// <param name="cancellation">Nobody wants the answer any more.</param>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was.</exception>
    public async Task<ProbeResult> Probe(Registry registry, Reference image, TimeSpan patience, CancellationToken cancellation)
    {
        var started = time.GetTimestamp();
        using var timeout = new CancellationTokenSource(patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timeout.Token);
        ProbeResult result;
        try
        {
            var account = registry.Credentials is { } source ? await source.Find(image, either.Token) : default;
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
        return result with { Elapsed = time.GetElapsedTime(started) };
    }

    public void Dispose() => _connections.Dispose();

    private async Task<ProbeResult> Ask(Registry registry, CredentialAnswer account, Reference image, CancellationToken cancellation)
    {
        using (var head = await Send(HttpMethod.Head, registry, account.Credential, image, cancellation))
        {
            var answer = ManifestAnswer.Judge(head, image, account.Credential, time.GetUtcNow());
            if (answer is not null && !ManifestAnswer.RefusesHead(head.StatusCode))
                return answer;
        }
        using var get = await Send(HttpMethod.Get, registry, account.Credential, image, cancellation);
        return ManifestAnswer.Judge(get, image, account.Credential, time.GetUtcNow()) is { } known and not ProbeResult.Found
            ? known
            : await ManifestBody.Judge(get, image, cancellation);
    }

    /// <summary>Follows redirects itself, because the credential must not follow to another host.</summary>
    private async Task<HttpResponseMessage> Send(HttpMethod method, Registry registry, Credential? credential, Reference image, CancellationToken cancellation)
    {
        var uri = new Uri(registry.Address.Endpoint, $"v2/{image.Repository}/manifests/{image.Version}");
        var tls = registry.Tls;
        for (var redirects = 0; ; redirects++)
        {
            var request = Request(method, uri, credential);
            var response = await _connections.For(tls).SendAsync(request, cancellation);
            if (redirects == MaxRedirects || Redirection.FindTarget(response, uri) is not { } target)
                return response;
            response.Dispose();
            if (!Redirection.StaysWith(registry.Address.Endpoint, target))
                (credential, tls) = (null, tls.ForOtherHosts); // for good: a way back could be anybody's
            uri = target;
        }
    }

    private static HttpRequestMessage Request(HttpMethod method, Uri uri, Credential? credential)
    {
        var request = new HttpRequestMessage(method, uri);
        request.Headers.TryAddWithoutValidation("Accept", ManifestTypes.Accept);
        request.Headers.TryAddWithoutValidation("User-Agent", s_userAgent);
        if (credential is Credential.Password password)
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", password.ToBasicParameter());
        return request;
    }
}
