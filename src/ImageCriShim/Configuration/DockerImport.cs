using System.Text.Json;

namespace ImageCriShim.Configuration;

/// <summary>Mirrors as docker has them: <c>registry-mirrors</c> and <c>insecure-registries</c> of <c>daemon.json</c>.</summary>
internal static class DockerImport
{
    private const string Guess = "docker tries https here and believes every certificate, then plain http; if it is https, write https:// and tls: {insecureSkipVerify: true}";

    public static IEnumerable<ImportedRegistry> From(JsonElement config, string from)
    {
        var insecure = Texts(config, "insecure-registries");
        var mirrors = Texts(config, "registry-mirrors").Select(ImportedRegistry.FindAddress).OfType<string>().Select(address => new ImportedRegistry(address, from)
        {
            Images = ["docker.io"],
            InsecureSkipVerify = address.StartsWith("https:", StringComparison.Ordinal) && insecure.Contains(new Uri(address).Authority),
        }).ToList();
        // A range of addresses names no registry.
        var others = insecure.Where(host => !host.Contains('/') && ImportedRegistry.FindAddress($"http://{host}") is not null && !mirrors.Exists(mirror => mirror.Host == host))
            .Select(host => new ImportedRegistry($"http://{host}", from) { Images = [host], Remark = Guess });
        return mirrors.Concat(others);
    }

    private static List<string> Texts(JsonElement config, string key) =>
        config.ValueKind == JsonValueKind.Object && config.TryGetProperty(key, out var list) && list.ValueKind == JsonValueKind.Array
            ? [.. list.EnumerateArray().Where(entry => entry.ValueKind == JsonValueKind.String).Select(entry => entry.GetString()!)]
            : [];
}
