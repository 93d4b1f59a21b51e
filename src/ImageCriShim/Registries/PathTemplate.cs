using System.Diagnostics.CodeAnalysis;
using ImageCriShim.Images;

namespace ImageCriShim.Registries;

/// <summary>
/// Where an image lies at a registry. <c>{repository}</c> is the image's path, <c>{rest}</c> what follows in it behind the pattern of
/// <c>images</c>, <c>{name}</c> its last segment, <c>{registry}</c> its origin with <c>_</c> for the colon of a port. A <c>_</c> of the origin's own, which only a host that
/// distribution/reference takes for a path has, is doubled: two origins never fall together.
/// </summary>
internal sealed record PathTemplate
{
    public const string Allowed = "lower-case path segments with {repository}, {rest} or {name}, and {registry}, in them";

    public static readonly PathTemplate Default = new(RepositoryPlace);

    private const string RepositoryPlace = "{repository}";
    private const string NamePlace = "{name}";
    private const string RestPlace = "{rest}";
    private const string RegistryPlace = "{registry}";

    private readonly string _template;

    private PathTemplate(string template) => _template = template;

    public static bool TryParse(string text, [NotNullWhen(true)] out PathTemplate? parsed)
    {
        var candidate = new PathTemplate(text.Trim('/'));
        var places = new[] { RepositoryPlace, NamePlace, RestPlace }.Any(place => candidate._template.Contains(place, StringComparison.Ordinal));
        // Without a place all images would be one.
        parsed = places && ReferenceGrammar.IsRepository(candidate.Expand("docker.io", "a/b", "b", "b")) ? candidate : null;
        return parsed is not null;
    }

    /// <summary>Whether it depends on the pattern by which an image is served.</summary>
    public bool HasRest => _template.Contains(RestPlace, StringComparison.Ordinal);

    /// <summary>May give a path that is no valid repository (an IPv6 origin): the caller parses the result.</summary>
    /// <param name="rest">What follows in its repository behind the pattern by which the registry serves it; empty for nothing.</param>
    public string Expand(Reference origin, string rest) => Expand(origin.Domain, origin.Repository, origin.ShortName, rest);

    /// <summary>The other way round: which origin and repository lie at this path?</summary>
    /// <param name="registry">The origin; null where the template does not tell.</param>
    /// <returns>False where no path of the template looks like this, or it does not tell the repository. A guess: expand it again to be sure.</returns>
    public bool TryMatch(string path, out string? registry, out string repository)
    {
        (registry, repository) = (null, "");
        if (_template.Split(RepositoryPlace) is not [var before, var behind] || _template.Contains(NamePlace, StringComparison.Ordinal) || HasRest)
            return false;
        if (!TryCut(ref path, before, fromEnd: false, ref registry) || !TryCut(ref path, behind, fromEnd: true, ref registry))
            return false;
        repository = path;
        return true;
    }

    public override string ToString() => _template;

    /// <summary>Cuts what stands on one side of the repository: literally, and around the origin, which has no slash in it.</summary>
    private static bool TryCut(ref string path, string side, bool fromEnd, ref string? registry)
    {
        var parts = side.Split(RegistryPlace);
        if (parts.Length == 1)
            return TryCut(ref path, side, fromEnd);
        var (outer, inner) = fromEnd ? (parts[1], parts[0]) : (parts[0], parts[1]);
        if (parts.Length > 2 || inner.Length == 0 || !TryCut(ref path, outer, fromEnd))
            return false;
        var at = fromEnd ? path.LastIndexOf(inner, StringComparison.Ordinal) : path.IndexOf(inner, StringComparison.Ordinal);
        if (at < 0)
            return false;
        var (first, second) = (path[..at], path[(at + inner.Length)..]);
        (path, registry) = fromEnd ? (first, second) : (second, first);
        registry = registry.Replace('_', ':');
        return true;
    }

    private static bool TryCut(ref string path, string literal, bool fromEnd)
    {
        if (!(fromEnd ? path.EndsWith(literal, StringComparison.Ordinal) : path.StartsWith(literal, StringComparison.Ordinal)))
            return false;
        path = fromEnd ? path[..^literal.Length] : path[literal.Length..];
        return true;
    }

    private string Expand(string domain, string repository, string name, string rest) => _template
        .Replace(RegistryPlace, SegmentOf(domain), StringComparison.Ordinal)
        .Replace(RepositoryPlace, repository, StringComparison.Ordinal)
        .Replace(NamePlace, name, StringComparison.Ordinal)
        .Replace(RestPlace, rest, StringComparison.Ordinal)
        .Trim('/'); // where nothing follows

    private static string SegmentOf(string domain) =>
        domain.Replace("_", "__", StringComparison.Ordinal).Replace(':', '_').ToLowerInvariant();
}
