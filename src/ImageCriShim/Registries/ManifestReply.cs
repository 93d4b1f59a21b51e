using System.Net;
using Authorization = ImageCriShim.Registries.Auth.Authorization;

namespace ImageCriShim.Registries;

/// <summary>A registry's HTTP answer, or the reason why it could not be asked for want of a token.</summary>
internal sealed class ManifestReply : IDisposable
{
    private readonly HttpResponseMessage? _response;
    private readonly Uri? _from;

    /// <param name="response">To the last request.</param>
    /// <param name="hop">Where that led.</param>
    /// <param name="authorization">As whom the registry was asked.</param>
    /// <param name="sent">All that went along until then.</param>
    public ManifestReply(HttpResponseMessage response, Hop hop, Authorization authorization, IReadOnlyList<string> sent)
    {
        (_response, _from, HasStrayed, Authorization, Sent) = (response, hop.Uri, hop.IsElsewhere, authorization, sent);
        AsWhom = authorization.Header is not null && !hop.HasCredential
            ? "from a host that it redirects to, where the credential must not go"
            : authorization.AsWhom;
    }

    public ManifestReply(ProbeResult failure) => (Failure, AsWhom, Sent) = (failure, "", []);

    /// <summary>Not null: there is no response.</summary>
    public ProbeResult? Failure { get; }

    public HttpResponseMessage Response => _response ?? throw new InvalidOperationException("there is a failure instead");

    /// <summary>What was asked last, after all redirects.</summary>
    public Uri From => _from ?? throw new InvalidOperationException("there is a failure instead");

    /// <summary>Whether the way there led over another host, where the credential did not go along.</summary>
    public bool HasStrayed { get; }

    /// <summary>As whom the registry was asked; null: there is a failure instead.</summary>
    public Authorization? Authorization { get; }

    /// <summary>Whether it has a body, as the answer to a HEAD has not.</summary>
    public bool HasBody => _response?.RequestMessage?.Method != HttpMethod.Head;

    /// <summary>Ends a sentence about an HTTP status: <c>for user admin</c>.</summary>
    public string AsWhom { get; }

    /// <summary>What the <c>Authorization</c> of all requests held until then: secrets that may be repeated.</summary>
    public IReadOnlyList<string> Sent { get; }

    /// <summary>
    /// Whether this answer to the same question, put without a credential, is the true one: it is there, or the registry broke on the
    /// credential.
    /// </summary>
    public bool IsBetterThan(ManifestReply other) => (StatusOf(this), StatusOf(other)) switch
    {
        (HttpStatusCode.OK, _) => true,
        (HttpStatusCode.NotFound or HttpStatusCode.TooManyRequests, >= HttpStatusCode.InternalServerError) => true,
        _ => false,
    };

    private static HttpStatusCode? StatusOf(ManifestReply reply) => reply._response?.StatusCode;

    public void Dispose() => _response?.Dispose();
}
