using System.Diagnostics.CodeAnalysis;
using ImageCriShim.Images;

namespace ImageCriShim.Registries;

/// <summary>
/// Where an image lies at a registry. <c>{repository}</c> is the image's path, <c>{name}</c> its last
/// segment, <c>{registry}</c> its origin with <c>_</c> for the colon of a port: a host cannot contain <c>_</c>, so two
/// origins never fall together.
/// </summary>
internal sealed record PathTemplate
{
    public const string Allowed = "lower-case path segments with {repository} or {name}, and {registry}, in them";

    public static readonly PathTemplate Default = new("{repository}");

    private readonly string _template;

    private PathTemplate(string template) => _template = template;

    public static bool TryParse(string text, [NotNullWhen(true)] out PathTemplate? parsed)
    {
        var candidate = new PathTemplate(text.Trim('/'));
        var places = candidate._template.Contains("{repository}", StringComparison.Ordinal)
            || candidate._template.Contains("{name}", StringComparison.Ordinal); // otherwise all images would be one
        parsed = places && ReferenceGrammar.IsRepository(candidate.Expand("docker.io", "a/b", "b")) ? candidate : null;
        return parsed is not null;
    }

    /// <summary>May give a path that is no valid repository (an IPv6 origin): the caller parses the result.</summary>
    public string Expand(Reference origin) => Expand(origin.Domain, origin.Repository, origin.ShortName);

    public override string ToString() => _template;

    private string Expand(string domain, string repository, string name) => _template
        .Replace("{registry}", domain.Replace(':', '_').ToLowerInvariant(), StringComparison.Ordinal)
        .Replace("{repository}", repository, StringComparison.Ordinal)
        .Replace("{name}", name, StringComparison.Ordinal);
}
