using System.Net;
using System.Net.Mime;
using ImageCriShim.Images;

namespace ImageCriShim.Registries;

/// <summary>
/// From a registry's HTTP answer to what it means (docs/RESOLVING.md, OCI distribution-spec "Pulling manifests"), as far as
/// status and headers tell.
/// </summary>
internal static class ManifestAnswer
{
    public static readonly ProbeResult OnlySchema1 = new ProbeResult.Missing("only as schema 1, which runtimes no longer take");
    public static readonly ProbeResult OtherDigest = NotARegistry("a manifest with another digest than the one asked for");

    public static ProbeResult NotARegistry(string what) => new ProbeResult.Unreachable($"not a registry's answer: {what}");

    /// <summary>
    /// Registries that refuse HEAD say so with these; asked by GET they tell what they mean. Never after a 404: that is the
    /// answer, and Docker Hub counts GETs.
    /// </summary>
    public static bool RefusesHead(HttpStatusCode status) => status is HttpStatusCode.BadRequest or HttpStatusCode.Forbidden
        or HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotImplemented;

    /// <returns>Null where only the body can tell.</returns>
    public static ProbeResult? Judge(HttpResponseMessage response, Reference image, string asWhom, DateTimeOffset now) => response.StatusCode switch
    {
        HttpStatusCode.OK => JudgeManifest(response, image),
        HttpStatusCode.NotFound => new ProbeResult.Missing(),
        HttpStatusCode.Unauthorized => new ProbeResult.Denied($"HTTP 401 {asWhom}"),
        HttpStatusCode.Forbidden => new ProbeResult.Denied($"HTTP 403 {asWhom}"),
        HttpStatusCode.TooManyRequests => new ProbeResult.Throttled(RetryAfter(response, now)),
        >= HttpStatusCode.MultipleChoices and < HttpStatusCode.BadRequest =>
            new ProbeResult.Unreachable($"HTTP {(int)response.StatusCode}, a redirect to nowhere or one too many"),
        var status => new ProbeResult.Unreachable($"HTTP {(int)status}"),
    };

    public static TimeSpan? RetryAfter(HttpResponseMessage response, DateTimeOffset now)
    {
        var wait = response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - now,
            _ => (TimeSpan?)null,
        };
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }

    private static ProbeResult? JudgeManifest(HttpResponseMessage response, Reference image)
    {
        var mediaType = response.Content.Headers.ContentType?.MediaType;
        if (string.Equals(mediaType, MediaTypeNames.Text.Html, StringComparison.OrdinalIgnoreCase))
            return NotARegistry("a web page"); // a captive portal, a login page
        if (ManifestTypes.IsSchema1(mediaType))
            return OnlySchema1;

        var digest = response.Headers.TryGetValues("Docker-Content-Digest", out var values) ? values.First().Trim() : null;
        if (digest is null || !ReferenceGrammar.IsDigest(digest))
            digest = null;
        if (image.Digest is { } asked && digest is not null && SameAlgorithm(asked, digest) && asked != digest)
            return OtherDigest;
        if (ManifestTypes.IsUsable(mediaType))
            return new ProbeResult.Found(digest, mediaType!);
        return null; // text/plain and the like, from old registries and from stores behind redirects
    }

    private static bool SameAlgorithm(string one, string other) => one.AsSpan(0, one.IndexOf(':')).SequenceEqual(other.AsSpan(0, other.IndexOf(':')));
}
