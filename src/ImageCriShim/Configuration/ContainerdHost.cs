using System.Text;
using ImageCriShim.Images;
using ImageCriShim.Registries;

namespace ImageCriShim.Configuration;

/// <summary>Reads what a <c>hosts.toml</c> says of one host that images of an origin are pulled from.</summary>
/// <param name="origin">The host that the images name; <c>*</c> for all others.</param>
/// <param name="file">Where it stands.</param>
internal sealed class ContainerdHost(string origin, ImportedPlace file)
{
    private const string Pull = "pull", Resolve = "resolve", Push = "push";

    private static readonly string[] s_known =
        ["capabilities", "ca", "client", "skip_verify", "header", "override_path", "dial_timeout", "rewrite", "server", "host"];

    /// <returns>Null for one that images are not pulled from.</returns>
    public ImportedEndpoint? Read(string url, TomlTable told)
    {
        var place = file.At(told.Line, "host");
        var endpoint = ImportedEndpoint.Parse(url, place, path => FindRoot(path, told.IsTrue("override_path")));
        if (endpoint is null)
            place.Loss("it is no URL of a registry, so it is not imported");
        return endpoint is null ? null : Describe(endpoint with { IsOrigin = endpoint.IsAt(origin), IsToldOrigin = true }, told);
    }

    /// <summary>What is asked when no other host has the image: without <c>server</c> the origin itself, over https.</summary>
    public ImportedEndpoint? ReadServer(TomlTable hosts)
    {
        if (hosts.Text("server") is { Length: > 0 } server)
            return Read(server, hosts) is { } endpoint ? endpoint with { Place = file.At(hosts.LineOf("server"), "server") } : null;
        return origin == ImportedOrigin.Others
            ? null
            : Describe(new ImportedEndpoint(Uri.UriSchemeHttps, ApiHostOf(origin), file) { IsOrigin = true }, hosts);
    }

    /// <summary>Under which name the registry of an origin answers.</summary>
    public static string ApiHostOf(string origin) => origin == Reference.DockerHub ? "registry-1.docker.io" : origin;

    /// <summary>As containerd does: <c>/v2</c> is added unless it is there, or the path is said to be whole.</summary>
    private static string FindRoot(string path, bool isWhole)
    {
        var trimmed = path.Trim('/');
        var hasVersion = $"/{trimmed}".EndsWith("/v2", StringComparison.Ordinal);
        return isWhole || hasVersion ? trimmed : $"{trimmed}/v2";
    }

    private ImportedEndpoint? Describe(ImportedEndpoint endpoint, TomlTable told)
    {
        if (!TryReadCapabilities(told, endpoint.Place, out var pull))
            return null;
        TellOthers(told, endpoint.Place);
        var (certificate, key) = ReadClient(told, endpoint.Place);
        return endpoint with
        {
            PullFromMirror = pull,
            Ca = [.. told.Texts("ca").Select(Absolute)],
            Certificate = certificate,
            Key = key,
            InsecureSkipVerify = told.IsTrue("skip_verify"),
            Credential = [.. ReadHeaders(told, endpoint.Place)],
            Rewrites = told.Table("rewrite") is { } rewrite ? [.. rewrite.Keys.Select(pattern => KeyValuePair.Create(pattern, rewrite.Text(pattern) ?? ""))] : [],
        };
    }

    /// <returns>False where no image is pulled from there.</returns>
    private static bool TryReadCapabilities(TomlTable told, ImportedPlace place, out PullFromMirror pull)
    {
        var words = told.Texts("capabilities").Select(word => word.ToLowerInvariant()).ToList();
        var at = place.At(told.LineOf("capabilities"), "capabilities");
        pull = words.Count > 0 && !words.Contains(Resolve) ? PullFromMirror.DigestOnly : PullFromMirror.All;
        if (words.Except([Pull, Resolve, Push]).FirstOrDefault() is { } unknown)
            at.Loss($"containerd does not know {QuotedValue.Of(unknown)}, and goes by nothing that the file says");
        else if (words.Contains(Resolve) && !words.Contains(Pull))
            at.Loss("tags are looked up there, and their images pulled from another host, which no setting says; it is left out");
        return words.Count == 0 || words.Contains(Pull);
    }

    private static void TellOthers(TomlTable told, ImportedPlace place)
    {
        if (told.Has("dial_timeout"))
            place.At(told.LineOf("dial_timeout"), "dial_timeout").Warning("is not carried over: a connection must stand within 2 s");
        foreach (var key in told.Keys.Except(s_known).ToList())
            place.At(told.LineOf(key), key).Warning("is not known here, so it is not imported");
    }

    /// <summary>A text, a list of texts or a list of pairs. Only the first of several can be said.</summary>
    private (string? Certificate, string? Key) ReadClient(TomlTable told, ImportedPlace place)
    {
        List<object> pairs = told.Find("client") switch
        {
            null => [],
            List<object> list => list,
            var one => [one],
        };
        if (pairs.Count > 1)
            place.At(told.LineOf("client"), "client").Loss("names several client certificates, and tls.cert one; the first one is taken");
        return pairs.FirstOrDefault() switch
        {
            string both => (Absolute(both), null),
            List<object> and [string certificate, string key] => (Absolute(certificate), key.Length == 0 ? null : Absolute(key)),
            _ => (null, null),
        };
    }

    private static IEnumerable<KeyValuePair<string, string>> ReadHeaders(TomlTable told, ImportedPlace place)
    {
        var headers = told.Table("header");
        foreach (var name in headers?.Keys ?? [])
        {
            var isCredential = name.Equals("Authorization", StringComparison.OrdinalIgnoreCase);
            if (isCredential && headers!.Texts(name) is [var value] && ReadCredential(value) is { } read)
                yield return read;
            else
                place.At(headers!.LineOf(name), "header").Loss($"{name} is not carried over: the registry may refuse without");
        }
    }

    private static KeyValuePair<string, string>? ReadCredential(string authorization)
    {
        var (scheme, parameter) = authorization.Trim().Split(' ', 2, StringSplitOptions.TrimEntries) is [var first, var second] ? (first, second) : ("", "");
        return scheme.ToUpperInvariant() switch
        {
            "BASIC" => new("auth", ImportedCredential.Unpack(parameter)),
            "BEARER" => new("registryToken", parameter),
            _ => null,
        };
    }

    /// <summary>A path without one is one beside the file.</summary>
    private string Absolute(string path) => Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file.Path))!, path);
}
