using System.Diagnostics.CodeAnalysis;
using System.IO.Enumeration;
using ImageCriShim.Images;

namespace ImageCriShim.Registries.Auth;

/// <summary>
/// For which images a credential is, as docker's <c>config.json</c> and kubelet's credential providers write it:
/// <c>[scheme://]host[:port][/path]</c> with <c>*</c> inside the labels of the host. A <c>*</c> stays within its label, a port is
/// part of the host, the path is the beginning of the repository (kubelet's URLsMatch). Docker Hub's spellings are one.
/// </summary>
internal sealed class ImageGlob
{
    private readonly string[] _labels;
    private readonly string _port;
    private readonly string _path; // empty, or with a slash in front

    private ImageGlob(string host, string path)
    {
        (var name, _port) = SplitPort(host);
        (Host, _labels, _path) = (host, name.Split('.'), path);
    }

    /// <summary>With its port; <c>docker.io</c> for every spelling of Docker Hub.</summary>
    public string Host { get; }

    public static bool TryParse(string text, [NotNullWhen(true)] out ImageGlob? glob)
    {
        var scheme = text.IndexOf("://", StringComparison.Ordinal);
        var rest = scheme < 0 ? text : text[(scheme + 3)..];
        var slash = rest.IndexOf('/');
        var host = Reference.NormalizeDomain((slash < 0 ? rest : rest[..slash]).ToLowerInvariant());
        var path = slash < 0 ? "" : WithoutVersion(rest[slash..]);
        glob = host.Length == 0 || host.Any(char.IsWhiteSpace) ? null : new ImageGlob(host, path == "/" ? "" : path);
        return glob is not null;
    }

    /// <param name="image">The image's name at the registry.</param>
    /// <param name="wholeSegments">Whether <c>/team</c> leaves <c>/teams/app</c> out. For kubelet it does not.</param>
    public bool Matches(Reference image, bool wholeSegments)
    {
        var (name, port) = SplitPort(image.Domain.ToLowerInvariant());
        var labels = name.Split('.');
        return port == _port && labels.Length == _labels.Length && MatchesPath($"/{image.Repository}", wholeSegments)
            && labels.Zip(_labels).All(pair => FileSystemName.MatchesSimpleExpression(pair.Second, pair.First, ignoreCase: false));
    }

    /// <summary>Of several that match, kubelet takes the last of these: longer paths come behind shorter ones, names behind <c>*</c>.</summary>
    public override string ToString() => Host + _path;

    private bool MatchesPath(string path, bool wholeSegments) => wholeSegments
        ? $"{path}/".StartsWith($"{_path.TrimEnd('/')}/", StringComparison.Ordinal)
        : path.StartsWith(_path, StringComparison.Ordinal);

    /// <summary>The API's own path, as <c>docker login</c> records it.</summary>
    private static string WithoutVersion(string path) =>
        $"{path}/".StartsWith("/v1/", StringComparison.Ordinal) || $"{path}/".StartsWith("/v2/", StringComparison.Ordinal) ? path[3..] : path;

    private static (string Name, string Port) SplitPort(string host)
    {
        var colon = host.LastIndexOf(':');
        return colon > host.LastIndexOf(']') ? (host[..colon], host[(colon + 1)..]) : (host, ""); // ] ends an IPv6 address
    }
}
