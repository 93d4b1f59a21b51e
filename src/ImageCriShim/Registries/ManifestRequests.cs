using System.Net;
using ImageCriShim.Images;
using ImageCriShim.Registries.Auth;
using Authorization = ImageCriShim.Registries.Auth.Authorization;

namespace ImageCriShim.Registries;

/// <summary>
/// Puts the question for a manifest to a registry: as whom, and where redirects lead. What the answer means is <see cref="ManifestAnswer"/>.
/// </summary>
/// <param name="connections">To registries and token servers.</param>
/// <param name="time">Measures the lives of tokens.</param>
/// <param name="isGreeting">Asks only whether there is a registry that takes the credential, and not for a manifest.</param>
internal sealed class ManifestRequests(RegistryConnections connections, TimeProvider time, bool isGreeting = false)
{
    private readonly Authenticator _authenticator = new(connections, time, isOfCredential: isGreeting);

    /// <summary>One request where it is known what the registry wants; otherwise it is asked again as it says.</summary>
    /// <param name="method">HEAD or GET.</param>
    /// <param name="registry">Whom to ask.</param>
    /// <param name="account">As whom.</param>
    /// <param name="image">The image's name at that registry.</param>
    /// <param name="cancellation">Nobody wants the answer any more, or it has taken too long.</param>
    /// <exception cref="HttpRequestException">No answer; <see cref="FailureReason"/> says why.</exception>
    public async Task<ManifestReply> Send(
        HttpMethod method, Registry registry, CredentialAnswer account, Reference image, CancellationToken cancellation)
    {
        var negotiation = _authenticator.Negotiate(registry, account, image);
        var uri = isGreeting ? registry.ApiUri : registry.ManifestUri(image);
        var start = new Hop(registry.Address.Endpoint, uri, registry.Tls, IsElsewhere: false);
        var reply = await Follow(method, start, await negotiation.Begin(cancellation), negotiation.Secrets, cancellation);
        ManifestReply? kept = null;
        try
        {
            while (await negotiation.Next(reply, cancellation) is { } next)
            {
                if (next.IsTrial)
                    kept = reply;
                else
                    (reply, kept) = Dispose(reply, kept);
                if (await Try(method, start, next, negotiation.Secrets, kept, cancellation) is not { } other)
                    return reply;
                reply = other;
            }
            if (kept is not null)
            {
                var isAnswer = negotiation.IsAnswer(reply, kept);
                (isAnswer ? kept : reply).Dispose();
                (reply, kept) = (isAnswer ? reply : kept, null);
            }
            var mayHaveWords = method == HttpMethod.Head && account.Credential is not null;
            return mayHaveWords ? await WithWords(start, reply, negotiation.Secrets, cancellation) : reply;
        }
        catch
        {
            Dispose(reply, kept);
            throw;
        }
    }

    /// <summary>What is wrong with a credential, such as its having expired, stands in the body of the 401, and HEAD has none.</summary>
    private async Task<ManifestReply> WithWords(Hop start, ManifestReply reply, IReadOnlyList<string> secrets, CancellationToken cancellation)
    {
        if (reply is not { Failure: null, HasStrayed: false, Response.StatusCode: HttpStatusCode.Unauthorized, Authorization: { Header: not null } sent }
            || await Try(HttpMethod.Get, start, sent, secrets, reply, cancellation) is not { } spoken)
            return reply;
        reply.Dispose();
        return spoken;
    }

    /// <returns>Null if there is no answer, and <paramref name="kept"/> is one.</returns>
    private async Task<ManifestReply?> Try(
        HttpMethod method, Hop start, Authorization next, IReadOnlyList<string> secrets, ManifestReply? kept,
        CancellationToken cancellation)
    {
        try
        {
            return await Follow(method, next.Start ?? start, next, secrets, cancellation);
        }
        catch (HttpRequestException) when (kept is not null)
        {
            return null;
        }
    }

    private static (ManifestReply Reply, ManifestReply? Kept) Dispose(ManifestReply reply, ManifestReply? kept)
    {
        reply.Dispose();
        kept?.Dispose();
        return (reply, null);
    }

    /// <summary>Follows redirects itself, because the credential must not follow to another host.</summary>
    private async Task<ManifestReply> Follow(
        HttpMethod method, Hop hop, Authorization authorization, IReadOnlyList<string> secrets, CancellationToken cancellation)
    {
        if (authorization.Failure is { } failure)
            return new ManifestReply(failure);
        for (var redirects = 0; ; redirects++)
        {
            var request = new HttpRequestMessage(method, hop.Uri);
            request.Headers.TryAddWithoutValidation("Accept", ManifestTypes.Accept);
            request.Headers.Authorization = hop.HasCredential ? authorization.Header : null;
            var response = hop.IsElsewhere
                ? await SendElsewhere(request, hop.Tls, cancellation)
                : await connections.Send(request, hop.Tls, isElsewhere: false, cancellation);
            if (redirects == Redirection.MaxRedirects || Redirection.FindTarget(response, hop.Uri) is not { } target)
                return new ManifestReply(response, hop, authorization, secrets);
            response.Dispose();
            if (Redirection.LosesTls(hop.Uri, target))
                return new ManifestReply(Redirection.ToPlainHttp(response));
            hop = hop.To(target);
        }
    }

    private async Task<HttpResponseMessage> SendElsewhere(HttpRequestMessage request, TlsSettings tls, CancellationToken cancellation)
    {
        try
        {
            return await connections.Send(request, tls, isElsewhere: true, cancellation);
        }
        catch (HttpRequestException e)
        {
            throw new ElsewhereException(e);
        }
    }

    /// <summary>Of entries that a reload has not changed, what was learned is known on; of all others it is not.</summary>
    public void Keep(IReadOnlySet<RegistryIdentity> unchanged) => _authenticator.Keep(unchanged);
}

/// <summary>The path of a manifest, <c>v2/REPOSITORY/manifests/REFERENCE</c> (OCI distribution-spec "Pulling manifests").</summary>
internal static class ManifestPath
{
    /// <returns>Null if it is not such a path.</returns>
    public static string? FindRepository(Uri uri)
    {
        const string before = "/v2/", behind = "/manifests/";
        var path = uri.AbsolutePath;
        var end = path.LastIndexOf(behind, StringComparison.Ordinal);
        var isManifest = path.StartsWith(before, StringComparison.Ordinal) && end > before.Length;
        return isManifest && ReferenceGrammar.IsRepository(path[before.Length..end]) ? path[before.Length..end] : null;
    }
}
