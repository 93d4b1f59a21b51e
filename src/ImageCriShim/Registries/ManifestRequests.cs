using System.Net;
using ImageCriShim.Images;
using ImageCriShim.Registries.Auth;
using Authorization = ImageCriShim.Registries.Auth.Authorization;

namespace ImageCriShim.Registries;

/// <summary>Puts the question for a manifest to a registry: as whom, and where redirects lead. What the answer means is <see cref="ManifestAnswer"/>.</summary>
/// <param name="isGreeting">Asks only whether there is a registry, and not for a manifest.</param>
internal sealed class ManifestRequests(RegistryConnections connections, TimeProvider time, bool isGreeting = false)
{
    private readonly Authenticator _authenticator = new(connections, time);

    /// <summary>One request where it is known what the registry wants; otherwise it is asked again as it says.</summary>
    /// <param name="method">HEAD or GET.</param>
    /// <param name="registry">Whom to ask.</param>
    /// <param name="account">As whom.</param>
    /// <param name="image">The image's name at that registry.</param>
    /// <param name="cancellation">Nobody wants the answer any more, or it has taken too long.</param>
    /// <exception cref="HttpRequestException">No answer; <see cref="FailureReason"/> says why.</exception>
    public async Task<ManifestReply> Send(HttpMethod method, Registry registry, CredentialAnswer account, Reference image, CancellationToken cancellation)
    {
        // 1. As whoever it is known to want.
        var first = await _authenticator.Begin(registry, account, image, cancellation);
        var reply = await Send(method, registry, first, image, cancellation);
        if (reply.Failure is not null || reply.HasStrayed)
            return reply;

        // 2. It wants somebody else: once, as it says.
        Authorization? second;
        try
        {
            second = await Reconsider(method, reply, first, registry, account, image, cancellation);
        }
        catch
        {
            reply.Dispose();
            throw;
        }
        if (second is null)
        {
            if (first.IsGuess)
                _authenticator.Learn(registry, first, reply.Response.StatusCode);
            return reply;
        }
        reply.Dispose();
        reply = await Send(method, registry, second, image, cancellation);
        if (reply.Failure is null)
            _authenticator.Learn(registry, second, reply.Response.StatusCode);
        return reply;
    }

    /// <returns>Null if the reply is the answer.</returns>
    private async Task<Authorization?> Reconsider(
        HttpMethod method, ManifestReply reply, Authorization sent, Registry registry, CredentialAnswer account, Reference image, CancellationToken cancellation)
    {
        switch (reply.Response.StatusCode)
        {
            case HttpStatusCode.Unauthorized:
                return await _authenticator.Answer(reply.From, Challenge.Read(reply.Response), sent, registry, account, image, cancellation);
            case HttpStatusCode.BadRequest or HttpStatusCode.Forbidden when _authenticator.IsDoubtful(sent):
                var nobody = Authorization.Nobody(account);
                using (var bare = await Send(method, registry, nobody, image, cancellation)) // it tells what it wants if nothing is sent
                {
                    return bare switch
                    {
                        { HasStrayed: false, Response.StatusCode: HttpStatusCode.Unauthorized } =>
                            await _authenticator.Answer(bare.From, Challenge.Read(bare.Response), sent, registry, account, image, cancellation),
                        { Response.StatusCode: HttpStatusCode.OK } => nobody,
                        _ => null,
                    };
                }
            default:
                return null;
        }
    }

    /// <summary>Follows redirects itself, because the credential must not follow to another host.</summary>
    private async Task<ManifestReply> Send(HttpMethod method, Registry registry, Authorization authorization, Reference image, CancellationToken cancellation)
    {
        if (authorization.Failure is { } failure)
            return new ManifestReply(failure);
        var uri = isGreeting ? registry.ApiUri : registry.ManifestUri(image);
        var hop = new Hop(registry.Address.Endpoint, uri, registry.Tls, IsElsewhere: false);
        for (var redirects = 0; ; redirects++)
        {
            var request = new HttpRequestMessage(method, hop.Uri);
            request.Headers.TryAddWithoutValidation("Accept", ManifestTypes.Accept);
            request.Headers.Authorization = hop.HasCredential ? authorization.Header : null;
            var response = hop.IsElsewhere
                ? await SendElsewhere(request, hop.Tls, cancellation)
                : await connections.Send(request, hop.Tls, isElsewhere: false, cancellation);
            if (redirects == Redirection.MaxRedirects || Redirection.FindTarget(response, hop.Uri) is not { } target)
                return new ManifestReply(response, hop.Uri, hop.IsElsewhere, AsWhom(authorization, hop), authorization.Header?.Parameter);
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

    private static string AsWhom(Authorization authorization, Hop hop) => authorization.Header is not null && !hop.HasCredential
        ? "from a host that it redirects to, where the credential must not go"
        : authorization.AsWhom;
}
