using System.Net;
using System.Text.Json;
using ImageCriShim.Images;
using ImageCriShim.Registries;

namespace ImageCriShim.Configuration;

/// <summary>Mirrors as docker has them: <c>registry-mirrors</c> and <c>insecure-registries</c> of <c>daemon.json</c>.</summary>
internal static class DockerImport
{
    private const string Guess = "docker tries https here and believes every certificate, then plain http; if it is https, write https:// and tls: {insecureSkipVerify: true}";

    private const string Mirrors = "registry-mirrors";
    private const string Insecure = "insecure-registries";

    private static readonly ImportedPlace s_nowhere = new(new ConfigReport(""), 0);

    /// <param name="report">Is warned of entries that name no registry.</param>
    public static IEnumerable<ImportedOrigin> From(JsonElement config, ImportedPlace place, ConfigReport report)
    {
        var insecure = Texts(config, Insecure, report, static host => !host.Contains('/') && IsRegistry($"http://{host}"));
        var mirrors = Texts(config, Mirrors, report, IsMirror)
            .Select(mirror => ImportedEndpoint.Parse(mirror, place, FindRoot)!)
            .Select(mirror => mirror with { InsecureSkipVerify = mirror.Scheme == Uri.UriSchemeHttps && insecure.Contains(mirror.Host) })
            .ToList();
        if (mirrors.Count > 0)
            yield return new ImportedOrigin(Reference.DockerHub, mirrors);
        foreach (var host in insecure.Where(host => !mirrors.Exists(mirror => mirror.Host == host)))
            yield return new ImportedOrigin(host, [new ImportedEndpoint(Uri.UriSchemeHttp, host, place) { IsOrigin = true, Remark = Guess }]) { IsWhole = false };
    }

    private static bool IsMirror(string url) =>
        ImportedEndpoint.Parse(url, s_nowhere, FindRoot) is { } endpoint && IsRegistry($"{endpoint.Scheme}://{endpoint.Host}");

    private static string FindRoot(string path) => path.Trim('/') is { Length: > 0 } root ? root : Registry.DefaultApiRoot;

    /// <summary>Those that name a registry. A range of addresses names none, and is no mistake.</summary>
    private static List<string> Texts(JsonElement config, string key, ConfigReport report, Predicate<string> isRegistry)
    {
        var texts = new List<string>();
        if (config.ValueKind != JsonValueKind.Object || !config.TryGetProperty(key, out var list) || list.ValueKind != JsonValueKind.Array)
            return texts;
        foreach (var (number, entry) in list.EnumerateArray().Index())
        {
            var text = entry.ValueKind == JsonValueKind.String ? entry.GetString()! : "";
            if (isRegistry(text))
                texts.Add(text);
            else if (key == Mirrors || !IPNetwork.TryParse(text, out _))
                report.Warning($"{key}[{number}]", 0, "is no registry, so it is not imported"); // the value may be a secret
        }

        return texts;
    }

    private static bool IsRegistry(string address) => RegistryAddress.TryParse(address, out _, out _);
}
