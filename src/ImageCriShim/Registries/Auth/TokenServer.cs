using System.Net;
using System.Net.Http.Headers;

namespace ImageCriShim.Registries.Auth;

/// <summary>
/// Has tokens made: by GET with the account as Basic (distribution "Token Authentication Specification"), or by POST where the account
/// is an identity token (distribution "OAuth2 Token Authentication"). The account follows redirects on the same host and to no other one.
/// </summary>
internal sealed class TokenServer(RegistryConnections connections, TimeProvider time)
{
    private const int MaxTokenBytes = 64 * 1024; // a token is a few KiB, and must fit into a header
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10); // of all probes together that want one token; each has its own

    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was.</exception>
    public async Task<TokenAnswer> Ask(TokenRequest wanted, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(s_patience, time);
        var answer = await Ask(wanted, timeout, cancellation);
        return wanted.Otherwise is { } other && answer.Failure is ProbeResult.Unreachable && !timeout.IsCancellationRequested
            ? await Ask(wanted with { Realm = other, Tls = wanted.Tls.ForOtherHosts, IsElsewhere = true }, timeout, cancellation)
            : answer;
    }

    private async Task<TokenAnswer> Ask(TokenRequest wanted, CancellationTokenSource timeout, CancellationToken cancellation)
    {
        var host = wanted.Realm.Authority;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timeout.Token);
        try
        {
            using var response = await Send(wanted, either.Token);
            var body = await BoundedBody.Read(response.Content, MaxTokenBytes, either.Token);
            return response.StatusCode == HttpStatusCode.OK ? Read(body, host) : TokenAnswer.No(Judge(response, body, wanted));
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return Unreachable(host, timeout.IsCancellationRequested ? $"no answer within {s_patience.TotalSeconds:0.###} s" : "no answer"); // or the pool was closed
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return Unreachable(host, FailureReason.Of(e) + connections.By(wanted.Realm));
        }
    }

    /// <summary>Follows redirects. Elsewhere and after a 303 a token for nobody is asked for: an identity token has no place in a GET.</summary>
    private async Task<HttpResponseMessage> Send(TokenRequest wanted, CancellationToken cancellation)
    {
        var hop = new Hop(wanted.Realm, wanted.Realm, wanted.Tls, wanted.IsElsewhere);
        var identity = wanted.Account as Credential.IdentityToken;
        if (identity is null)
            hop = hop with { Uri = WithQuery(wanted.Realm, wanted) };
        for (var redirects = 0; ; redirects++)
        {
            using var request = identity is null ? Get(hop, wanted) : Post(hop.Uri, wanted, identity);
            var response = await connections.Send(request, hop.Tls, hop.IsElsewhere, cancellation);
            if (redirects == Redirection.MaxRedirects || FindTarget(response, hop.Uri) is not { } target)
                return response;
            response.Dispose();
            hop = hop.To(target);
            if (identity is null || (hop.HasCredential && response.StatusCode is not HttpStatusCode.SeeOther))
                continue;
            (identity, hop) = (null, hop with { Uri = WithQuery(target, wanted) }); // what was asked for stood in the body
        }
    }

    /// <returns>Null if the answer is none, or one to plain http elsewhere.</returns>
    private static Uri? FindTarget(HttpResponseMessage response, Uri asked)
    {
        var target = Redirection.FindTarget(response, asked) is { } named ? Redirection.KeepTls(asked, named) : null;
        return target is null || Redirection.LosesTls(asked, target) ? null : target;
    }

    private static HttpRequestMessage Get(Hop hop, TokenRequest wanted)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, hop.Uri);
        if (hop.HasCredential && wanted.Account is Credential.Password password)
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", password.ToBasicParameter());
        return request;
    }

    private static HttpRequestMessage Post(Uri uri, TokenRequest wanted, Credential.IdentityToken identity) => new(HttpMethod.Post, uri)
    {
        Content = new FormUrlEncodedContent(
        [
            new("grant_type", "refresh_token"),
            .. wanted.Service is { } service ? new KeyValuePair<string, string>[] { new("service", service) } : [],
            new("scope", wanted.Scope),
            new("client_id", RegistryConnections.ClientName),
            new("refresh_token", identity.Secret),
        ]),
    };

    /// <summary>Several scopes are several parameters.</summary>
    private static Uri WithQuery(Uri realm, TokenRequest wanted)
    {
        var query = wanted.Scope.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(scope => $"scope={Uri.EscapeDataString(scope)}");
        if (wanted.Service is { } service)
            query = query.Prepend($"service={Uri.EscapeDataString(service)}");
        if (realm.Query.Length > 1)
            query = query.Prepend(realm.Query[1..]);
        return new UriBuilder(realm) { Query = string.Join('&', query), Fragment = "" }.Uri;
    }

    private TokenAnswer Read(byte[]? body, string host) => body is not null && TokenBody.FindToken(body) is { } found
        ? TokenAnswer.Of(new Token(found.Token, time.GetTimestamp(), found.Lifetime), isNew: true)
        : Unreachable(host, "there is no token in its answer");

    private ProbeResult Judge(HttpResponseMessage response, byte[]? body, TokenRequest wanted)
    {
        var says = $"its token server {wanted.Realm.Authority} says HTTP {(int)response.StatusCode}";
        var asked = response.RequestMessage!.RequestUri!;
        if (Redirection.FindTarget(response, asked) is { } target && Redirection.LosesTls(asked, target))
            return new ProbeResult.Unreachable($"its token server {wanted.Realm.Authority}: {Redirection.WhyNotToPlainHttp(response)}");
        return response.StatusCode switch
        {
            // Whose account it was ends the sentence: "for the identity token ***".
            HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed when wanted.Account is Credential.IdentityToken =>
                new ProbeResult.Denied($"{says}, so it has no use"),
            // 400 is how OAuth2 refuses an account or a scope (RFC 6749 section 5.2).
            HttpStatusCode.BadRequest or HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden =>
                new ProbeResult.Denied(says + WordsOf(body, wanted)),
            HttpStatusCode.TooManyRequests => new ProbeResult.Throttled(ManifestAnswer.RetryAfter(response, time.GetUtcNow())),
            _ => new ProbeResult.Unreachable(says),
        };
    }

    private static string WordsOf(byte[]? body, TokenRequest wanted) =>
        body is not null && RegistryErrors.Find(body, SentSecrets.Of(wanted.Account), EchoedNames.Of(wanted.Scope)) is { } words ? $" ({words})" : "";

    private static TokenAnswer Unreachable(string host, string reason) => TokenAnswer.No(new ProbeResult.Unreachable($"its token server {host}: {reason}"));
}
