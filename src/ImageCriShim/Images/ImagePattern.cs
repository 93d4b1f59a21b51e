using System.Diagnostics.CodeAnalysis;

namespace ImageCriShim.Images;

/// <summary>
/// Which images a rule is about: a host (<c>docker.io</c>), a host with a path (<c>quay.io/team</c>, which
/// covers <c>quay.io/team/app</c> but not <c>quay.io/teams</c>), subdomains (<c>*.gcr.io</c>) or everything (<c>*</c>).
/// </summary>
internal sealed record ImagePattern
{
    public const string Allowed = "a host (docker.io), a host with a path (quay.io/team), *.domain, or *";

    private readonly string _host;
    private readonly string _path;

    private ImagePattern(string host, string path) => (_host, _path) = (host, path);

    public static bool TryParse(string text, [NotNullWhen(true)] out ImagePattern? pattern)
    {
        var slash = text.IndexOf('/');
        var host = Reference.NormalizeDomain((slash < 0 ? text : text[..slash]).ToLowerInvariant());
        var path = slash < 0 ? "" : text[(slash + 1)..].TrimEnd('/');
        pattern = IsHost(host) && (path.Length == 0 || ReferenceGrammar.IsRepository(path)) ? new ImagePattern(host, path) : null;
        return pattern is not null;
    }

    public bool Matches(Reference reference) => MatchesHost(reference) && MatchesPath(reference);

    /// <summary>The host that every image of this pattern names; null where it may be one of several.</summary>
    public string? OnlyHost => _host.StartsWith('*') ? null : _host;

    public override string ToString() => _path.Length == 0 ? _host : $"{_host}/{_path}";

    private static bool IsHost(string host) => host switch
    {
        "*" or "localhost" => true,
        _ when host.StartsWith("*.", StringComparison.Ordinal) => ReferenceGrammar.IsDomain(host[2..]),
        // A bare word would be a path on Docker Hub in an image's name; here it is more likely a slip.
        _ => host.AsSpan().IndexOfAny('.', ':') >= 0 && ReferenceGrammar.IsDomain(host),
    };

    private bool MatchesHost(Reference reference) =>
        _host == "*"
        || (_host.StartsWith("*.", StringComparison.Ordinal)
            ? reference.Domain.EndsWith(_host[1..], StringComparison.OrdinalIgnoreCase)
            : reference.IsAt(_host));

    private bool MatchesPath(Reference reference) =>
        _path.Length == 0
        || reference.Repository == _path
        || reference.Repository.StartsWith(_path + "/", StringComparison.Ordinal)
        // docker.io/nginx is how people spell docker.io/library/nginx
        || (_host == Reference.DockerHub && reference.Repository == "library/" + _path);
}
