using System.Net;
using System.Text.Json;
using ImageCriShim.Registries;

namespace ImageCriShim.Configuration;

/// <summary>Mirrors as docker has them: <c>registry-mirrors</c> and <c>insecure-registries</c> of <c>daemon.json</c>.</summary>
internal static class DockerImport
{
    private const string Guess = "docker tries https here and believes every certificate, then plain http; if it is https, write https:// and tls: {insecureSkipVerify: true}";

    private const string Mirrors = "registry-mirrors";
    private const string Insecure = "insecure-registries";

    /// <param name="report">Is warned of entries that name no registry.</param>
    public static IEnumerable<ImportedRegistry> From(JsonElement config, string from, ConfigReport report)
    {
        var insecure = Texts(config, Insecure, report, static host => !host.Contains('/') && IsRegistry($"http://{host}"));
        var addresses = Texts(config, Mirrors, report,
                static mirror => ImportedRegistry.FindAddress(mirror) is { } address && IsRegistry(address))
            .Select(ImportedRegistry.FindAddress).OfType<string>();
        var mirrors = addresses.Select(address => new ImportedRegistry(address, from)
        {
            Images = ["docker.io"],
            InsecureSkipVerify = address.StartsWith("https:", StringComparison.Ordinal) && insecure.Contains(new Uri(address).Authority),
        }).ToList();
        var others = insecure.Where(host => !mirrors.Exists(mirror => mirror.Host == host))
            .Select(host => new ImportedRegistry($"http://{host}", from) { Images = [host], Remark = Guess });
        return mirrors.Concat(others);
    }

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
