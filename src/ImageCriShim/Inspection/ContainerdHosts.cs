using System.Text;
using ImageCriShim.Configuration;

namespace ImageCriShim.Inspection;

/// <summary>The directories in which containerd looks for what it is to know of a registry: <c>HOST_PORT_</c>, <c>HOST:PORT</c>, <c>_default</c>.</summary>
internal sealed class ContainerdHosts(NodeRoot root, IReadOnlyList<string> directories)
{
    private const string FileName = "hosts.toml";

    /// <summary>Whether containerd would reach the registry with what is there.</summary>
    public bool Admit(RegistryNeeds needs)
    {
        if (FindDirectory(needs.Host) is not { } directory)
            return false;
        if (root.Read($"{directory}/{FileName}") is not { } text)
            return needs.HasCa && root.List(directory, "*.crt").Count > 0; // as docker has it
        return TomlParser.Parse(text, out _) is { } hosts && Places(hosts, needs.Host).Any(place => Serves(place, needs));
    }

    /// <summary>Whom containerd asks for images of this host; none where nothing is said of it.</summary>
    public IReadOnlyList<string> PlacesOf(string host) =>
        FindDirectory(host) is { } directory && TomlParser.Parse(root.Read($"{directory}/{FileName}") ?? "", out _) is { } hosts
            ? [.. Places(hosts, host).Where(place => CanPull(place.Told)).Select(place => place.Url)]
            : [];

    public Remedy Write(RegistryNeeds needs)
    {
        var text = new StringBuilder($"server = \"{needs.Url}\"\n\n[host.\"{needs.Url}\"]\n  capabilities = [\"pull\", \"resolve\"]");
        if (needs.HasCa)
            text.Append($"\n  ca = {(needs.Ca is [var only] ? $"\"{only}\"" : $"[{string.Join(", ", needs.Ca.Select(file => $"\"{file}\""))}]")}");
        if (needs.IsUnverified)
            text.Append("\n  skip_verify = true");
        return Remedy.Write(root.At($"{FindDirectory(needs.Host, isDefaultToo: false) ?? $"{directories[0]}/{needs.Host}"}/{FileName}"), $"{text}");
    }

    private string? FindDirectory(string host, bool isDefaultToo = true)
    {
        var colon = host.LastIndexOf(':');
        string[] names = [.. colon < 0 ? [] : new[] { $"{host[..colon]}_{host[(colon + 1)..]}_" }, host, .. isDefaultToo ? ["_default"] : Array.Empty<string>()];
        return names.SelectMany(name => directories.Select(directory => $"{directory}/{name}")).FirstOrDefault(root.Has);
    }

    /// <summary>Whom containerd would ask, with what is said of it: the hosts, and last the server itself.</summary>
    private static IEnumerable<(string Url, TomlTable Told)> Places(TomlTable hosts, string host)
    {
        if (hosts.Table("host") is { } named)
        {
            foreach (var url in named.Keys)
                yield return (url, named.Table(url) ?? new TomlTable(0));
        }

        yield return (hosts.Text("server") ?? $"https://{host}", hosts);
    }

    private static bool CanPull(TomlTable told) => !told.Has("capabilities") || told.Texts("capabilities").Contains("pull");

    private static bool Serves((string Url, TomlTable Told) place, RegistryNeeds needs)
    {
        var url = place.Url.Contains("://", StringComparison.Ordinal) ? place.Url : $"https://{place.Url}";
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || !CanPull(place.Told))
            return false;
        if (!new Uri(needs.Url).Authority.Equals(uri.Authority, StringComparison.OrdinalIgnoreCase) && new Uri($"https://{needs.Host}").Authority != uri.Authority)
            return place.Url != (place.Told.Text("server") ?? ""); // the operator sends it elsewhere, which is his affair
        if (needs.IsPlain)
            return uri.Scheme == Uri.UriSchemeHttp;
        return place.Told.IsTrue("skip_verify") || (needs.HasCa && place.Told.Texts("ca").Count > 0);
    }
}
