using System.Net.Http.Headers;
using ImageCriShim.Images;
using ImageCriShim.Registries.Auth;

namespace ImageCriShim.Registries;

/// <summary>Puts the question for a manifest to a registry: as whom, and where redirects lead. What the answer means is <see cref="ManifestAnswer"/>.</summary>
internal sealed class ManifestRequests(RegistryConnections connections)
{
    private const int MaxRedirects = 5; // registry.k8s.io and Quay need one; a loop ends

    private static readonly string s_userAgent = $"image-cri-shim/{ShimVersion.Text}";

    /// <summary>Follows redirects itself, because the credential must not follow to another host.</summary>
    /// <param name="method">HEAD or GET.</param>
    /// <param name="registry">Whom to ask.</param>
    /// <param name="account">As whom.</param>
    /// <param name="image">The image's name at that registry.</param>
    /// <param name="cancellation">Nobody wants the answer any more, or it has taken too long.</param>
    /// <exception cref="HttpRequestException">No answer; <see cref="FailureReason"/> says why.</exception>
    public async Task<ManifestReply> Send(HttpMethod method, Registry registry, CredentialAnswer account, Reference image, CancellationToken cancellation)
    {
        var uri = new Uri(registry.Address.Endpoint, $"v2/{image.Repository}/manifests/{image.Version}");
        var (credential, tls) = (account.Credential, registry.Tls);
        for (var redirects = 0; ; redirects++)
        {
            var request = Request(method, uri, credential);
            var response = await connections.For(tls).SendAsync(request, cancellation);
            if (redirects == MaxRedirects || Redirection.FindTarget(response, uri) is not { } target)
                return new ManifestReply(response, AsWhom(account, credential));
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

    private static string AsWhom(CredentialAnswer account, Credential? sent) => (account.Credential, sent) switch
    {
        (null, _) => "for no user",
        (_, null) => "from a host that it redirects to, where the credential must not go",
        (_, Credential.Password password) => $"for user {password.Username}",
        _ => $"for the {sent}",
    };
}

/// <summary>A registry's HTTP answer, or the reason why it could not be asked for want of a token.</summary>
internal sealed class ManifestReply : IDisposable
{
    private readonly HttpResponseMessage? _response;

    public ManifestReply(HttpResponseMessage response, string asWhom) => (_response, AsWhom) = (response, asWhom);

    public ManifestReply(ProbeResult failure) => (Failure, AsWhom) = (failure, "");

    /// <summary>Not null: there is no response.</summary>
    public ProbeResult? Failure { get; }

    public HttpResponseMessage Response => _response ?? throw new InvalidOperationException("there is a failure instead");

    /// <summary>Ends a sentence about an HTTP status: <c>for user admin</c>.</summary>
    public string AsWhom { get; }

    public void Dispose() => _response?.Dispose();
}
