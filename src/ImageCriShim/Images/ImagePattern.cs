using System.Diagnostics.CodeAnalysis;

namespace ImageCriShim.Images;

/// <summary>
/// Which images a rule is about: a host (<c>docker.io</c>), a host with a path (<c>quay.io/team</c>, which
/// covers <c>quay.io/team/app</c> but not <c>quay.io/teams</c>), subdomains (<c>*.gcr.io</c>) or everything (<c>*</c>).
/// </summary>
internal sealed record ImagePattern
{
    public const string Allowed = "a host (docker.io), a host with a path (quay.io/team), *.domain, or *";

    private const string Anything = "*";
    private const string AnythingBelow = "*.";

    private readonly string _host;
    private readonly string _path;
    private readonly string _overHttps;
    private readonly string _overHttp;

    private ImagePattern(string host, string path)
    {
        (_host, _path) = (host, path);
        var compared = host.StartsWith(AnythingBelow, StringComparison.Ordinal) ? host[AnythingBelow.Length..] : host;
        (_overHttps, _overHttp) = (ImageHost.Canonical(compared, ImageHost.HttpsPort), ImageHost.Canonical(compared, ImageHost.HttpPort));
    }

    public static bool TryParse(string text, [NotNullWhen(true)] out ImagePattern? pattern)
    {
        var slash = text.IndexOf('/');
        var host = Reference.NormalizeDomain(WithoutDot((slash < 0 ? text : text[..slash]).ToLowerInvariant()));
        var path = slash < 0 ? "" : text[(slash + 1)..].TrimEnd('/');
        pattern = IsHost(host) && (path.Length == 0 || ReferenceGrammar.IsRepository(path)) ? new ImagePattern(host, path) : null;
        return pattern is not null;
    }

    public bool Matches(Reference reference) => MatchesHost(reference) && MatchesPath(reference);

    /// <summary>What follows in the repository of an image behind this pattern's path; null for one that it does not cover as it is written.</summary>
    public string? FindRest(Reference reference)
    {
        if (!Matches(reference))
            return null;
        if (_path.Length == 0 || reference.Repository == _path)
            return _path.Length == 0 ? reference.Repository : "";
        return reference.Repository.StartsWith($"{_path}/", StringComparison.Ordinal) ? reference.Repository[(_path.Length + 1)..] : null;
    }

    /// <summary>Whether it covers every image.</summary>
    public bool IsEverything => _host == Anything && _path.Length == 0;

    /// <summary>The host that every image of this pattern names; null where it may be one of several.</summary>
    public string? OnlyHost => _host.StartsWith('*') ? null : _host;

    public override string ToString() => _path.Length == 0 ? _host : $"{_host}/{_path}";

    private static bool IsHost(string host) => host switch
    {
        Anything or "localhost" => true,
        _ when host.StartsWith(AnythingBelow, StringComparison.Ordinal) => IsName(host[AnythingBelow.Length..]),
        // A bare word would be a path on Docker Hub in an image's name; here it is more likely a slip.
        _ => host.AsSpan().IndexOfAny('.', ':') >= 0 && IsName(host),
    };

    /// <summary>With an underscore it is no domain, but runtimes take it from an image's path (<see cref="Reference.Domain"/>).</summary>
    private static bool IsName(string host) =>
        ReferenceGrammar.IsDomain(host) || (!host.Contains('/') && ReferenceGrammar.IsRepository(host));

    /// <summary><c>quay.io.</c> is <c>quay.io</c> to DNS; in an image's name it cannot stand.</summary>
    private static string WithoutDot(string host)
    {
        var end = host.StartsWith('[') || !host.Contains(':') ? host.Length : host.IndexOf(':');
        return end > 0 && host[end - 1] == '.' ? host.Remove(end - 1, 1) : host;
    }

    /// <summary>A rule has no scheme, so a host is the one of the rule if it is over https or over http.</summary>
    private bool MatchesHost(Reference reference) =>
        _host == Anything
        || MatchesHost(ImageHost.Canonical(reference.Domain, ImageHost.HttpsPort), _overHttps)
        || MatchesHost(ImageHost.Canonical(reference.Domain, ImageHost.HttpPort), _overHttp);

    private bool MatchesHost(string host, string compared)
    {
        if (!_host.StartsWith(AnythingBelow, StringComparison.Ordinal))
            return host == compared;
        host = host == Reference.DockerHub ? "registry-1.docker.io" : host; // where it is asked for
        return host.EndsWith($".{compared}", StringComparison.Ordinal);
    }

    private bool MatchesPath(Reference reference)
    {
        if (_path.Length == 0)
            return true;
        var isDockerHub = ImageHost.Canonical(reference.Domain, ImageHost.HttpsPort) == Reference.DockerHub;
        // Docker.io/nginx is for distribution/reference no image of Docker Hub's library, and is one to people.
        var repository = isDockerHub && !reference.Repository.Contains('/') ? $"library/{reference.Repository}" : reference.Repository;
        return repository == _path
            || repository.StartsWith($"{_path}/", StringComparison.Ordinal)
            // docker.io/nginx is how people spell docker.io/library/nginx
            || (_overHttps == Reference.DockerHub && repository == $"library/{_path}");
    }
}
