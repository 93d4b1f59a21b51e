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
    public static readonly ProbeResult OtherDigest = new ProbeResult.Missing("only with another digest than the one asked for");

    public static ProbeResult NotARegistry(string what) => new ProbeResult.Unreachable($"not a registry's answer: {what}");

    /// <summary>
    /// Asked by GET the registry tells what it means: it refuses HEAD, or this image, and only an answer to GET has words. Never after a 404: that
    /// is the answer, and Docker Hub counts GETs.
    /// </summary>
    public static bool RefusesHead(HttpStatusCode status) => status is HttpStatusCode.NotImplemented || IsRefusal(status);

    /// <summary>
    /// Of this image (by a scanner, a law, a quota), in whatever 4xx: the registry is well (RFC 9110 section 15.5). The others have meanings of their
    /// own: 401 asks for a credential, 404 answers, 407 is a proxy's, 408 and 429 ask for time.
    /// </summary>
    public static bool IsRefusal(HttpStatusCode status) => status is >= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError
        and not (HttpStatusCode.Unauthorized or HttpStatusCode.NotFound or HttpStatusCode.ProxyAuthenticationRequired
            or HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests);

    /// <param name="response">What it answered.</param>
    /// <param name="image">What was asked for.</param>
    /// <param name="asWhom">Ends a sentence about the status: <c>for user admin</c>.</param>
    /// <param name="words">What the registry says in its own words (<see cref="RegistryErrors"/>); null where there was no body to read.</param>
    /// <param name="now">For a date in <c>Retry-After</c>, where the registry does not say what time it is.</param>
    /// <returns>Null where only the body can tell. Of an index that is found the platforms are not known yet.</returns>
    public static ProbeResult? Judge(HttpResponseMessage response, Reference image, string asWhom, string? words, DateTimeOffset now)
    {
        var status = $"HTTP {(int)response.StatusCode}";
        var said = words is null ? "" : $", {words}";
        return response.StatusCode switch
        {
            HttpStatusCode.OK => JudgeManifest(response, image),
            >= HttpStatusCode.OK and < HttpStatusCode.MultipleChoices => NotARegistry(status),
            HttpStatusCode.NotFound => new ProbeResult.Missing(),
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => new ProbeResult.Denied($"{status} {asWhom}{said}"),
            HttpStatusCode.TooManyRequests => new ProbeResult.Throttled(RetryAfter(response, now)),
            >= HttpStatusCode.MultipleChoices and < HttpStatusCode.BadRequest =>
                new ProbeResult.Unreachable($"{status}, a redirect to nowhere or one too many"),
            var other when IsRefusal(other) => new ProbeResult.Denied(status + said),
            _ => new ProbeResult.Unreachable(status + said),
        };
    }

    /// <summary>How long it wants to be left alone. A date is one of its own clock, which it tells as well; ours may be an hour off.</summary>
    public static TimeSpan? RetryAfter(HttpResponseMessage response, DateTimeOffset now)
    {
        var wait = response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - (response.Headers.Date ?? now),
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
        if (image.Digest is { } asked && asked != digest)
            return digest is not null && SameAlgorithm(asked, digest) ? OtherDigest : null; // not stated: to be computed
        if (ManifestTypes.IsUsable(mediaType))
            return new ProbeResult.Found(digest, mediaType!);
        return null; // text/plain and the like, from old registries and from stores behind redirects
    }

    private static bool SameAlgorithm(string one, string other) => one.AsSpan(0, one.IndexOf(':')).SequenceEqual(other.AsSpan(0, other.IndexOf(':')));
}
