using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using ImageCriShim.Images;

namespace ImageCriShim.Registries;

/// <summary>
/// Where a registry is: <c>[http[s]://]host[:port][/path]</c>. The path is the beginning of every repository there (a
/// Harbor project, an Artifactory key), not of the API: a runtime can spell only <c>host/path/image</c>.
/// </summary>
internal sealed record RegistryAddress
{
    public const string Allowed = "host[:port][/path], with http:// or https:// in front where needed";

    private const string DockerHubApi = "registry-1.docker.io";

    private readonly Lazy<Uri> _endpoint;

    private RegistryAddress(string scheme, string host, string path)
    {
        Host = Reference.NormalizeDomain(host);
        Path = path;
        // The port stays as written: containerd compares server_address with the host of the image's name, character by character.
        ServerAddress = $"{scheme}://{ApiHost(Host)}";
        Key = ImageHost.Canonical(Host, DefaultPort);
        _endpoint = new Lazy<Uri>(() => new Uri(ServerAddress + "/"));
    }

    /// <summary>Host with optional port as it stands in an image's name; <c>docker.io</c> for Docker Hub.</summary>
    public string Host { get; }

    /// <summary>The one form of <see cref="Host"/>, for comparing.</summary>
    public string Key { get; }

    /// <summary>The port where none is written.</summary>
    public int DefaultPort => IsHttps ? ImageHost.HttpsPort : ImageHost.HttpPort;

    /// <summary>The beginning of every repository there, without slashes around it; empty for none.</summary>
    public string Path { get; }

    /// <summary>The beginning of every image's name there, without a slash at its end: the host, and the path if there is one.</summary>
    public string NamePrefix => Path.Length == 0 ? Host : $"{Host}/{Path}";

    /// <summary>The registry's URL as a runtime wants it beside a credential.</summary>
    public string ServerAddress { get; }

    /// <summary>The root that <c>/v2/</c> hangs on.</summary>
    public Uri Endpoint => _endpoint.Value;

    public bool IsHttps => ServerAddress.StartsWith("https:", StringComparison.Ordinal);

    /// <summary>The host that speaks the registry API for images of <paramref name="domain"/>.</summary>
    public static string ApiHost(string domain) => domain == Reference.DockerHub ? DockerHubApi : domain;

    /// <param name="text">As the operator wrote it.</param>
    /// <param name="address">The parsed address.</param>
    /// <param name="problem">What is wrong, without quoting what could be a secret.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out RegistryAddress? address, [NotNullWhen(false)] out string? problem)
    {
        address = null;
        var (scheme, rest) = SplitScheme(text.Trim());
        var slash = rest.IndexOf('/');
        var host = (slash < 0 ? rest : rest[..slash]).ToLowerInvariant();
        var path = slash < 0 ? "" : rest[(slash + 1)..].Trim('/');
        if (path is "v1" or "v2")
            path = ""; // the API's own path, as docker login records it

        problem = Check(scheme, rest, host, path);
        if (problem is not null)
            return false;
        address = new RegistryAddress(scheme, host, path);
        return true;
    }

    /// <summary>Whatever has been asked of it so far.</summary>
    public bool Equals(RegistryAddress? other) => other is not null && ToString() == other.ToString();

    public override int GetHashCode() => string.GetHashCode(ToString(), StringComparison.Ordinal);

    public override string ToString() => Path.Length == 0 ? ServerAddress : $"{ServerAddress}/{Path}";

    private static (string Scheme, string Remainder) SplitScheme(string text)
    {
        var end = text.IndexOf("://", StringComparison.Ordinal);
        return end < 0 ? ("https", text) : (text[..end].ToLowerInvariant(), text[(end + 3)..]);
    }

    private static string? Check(string scheme, string rest, string host, string path)
    {
        if (rest.Contains('@'))
            return "holds a user or password; put them into auth";
        if (rest.AsSpan().ContainsAny('?', '#'))
            return "holds a query; leave it out";
        if (scheme is not ("http" or "https"))
            return $"has the scheme {QuotedValue.Of(scheme)}";
        if (!ReferenceGrammar.IsDomain(host) || (!IsPlain(host) && !Uri.TryCreate($"{scheme}://{host}/", UriKind.Absolute, out _)))
            return $"{QuotedValue.Of(host)} is not a host name or address with an optional port";
        if (!Reference.TryParse($"{host}/image", out var image) || !image.IsAt(Reference.NormalizeDomain(host)))
            return $"{host}/image would be an image of Docker Hub; add the port, {host}:{(scheme == "http" ? 80 : 443)}";
        return path.Length == 0 || ReferenceGrammar.IsRepository(path) ? null : $"{QuotedValue.Of(path)} cannot be the beginning of a repository";
    }

    /// <summary>
    /// Whether a domain is sure to be one for <see cref="Uri"/> too, which takes milliseconds of every start to be asked.
    /// </summary>
    private static bool IsPlain(string domain)
    {
        const int maxName = 253, maxLabel = 63; // RFC 1035, section 2.3.4
        var colon = domain.IndexOf(':');
        var name = colon < 0 ? domain : domain[..colon];
        return !name.StartsWith('[') && name.Length <= maxName && name.Split('.').All(label => label.Length <= maxLabel)
            && (colon < 0 || ushort.TryParse(domain.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out _));
    }
}
