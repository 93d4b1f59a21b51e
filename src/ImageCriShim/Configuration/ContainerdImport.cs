namespace ImageCriShim.Configuration;

/// <summary>
/// Mirrors as containerd's <c>config.toml</c> has them: <c>registry.mirrors</c> and <c>registry.configs</c>, or the directories that
/// <c>registry.config_path</c> names (containerd, docs/cri/registry.md).
/// </summary>
internal static class ContainerdImport
{
    private static readonly string[] s_plugins = ["io.containerd.cri.v1.images", "io.containerd.grpc.v1.cri", "cri"];

    public static void Add(ImportedOrigins origins, TomlTable top, string path, ConfigReport report)
    {
        foreach (var registry in s_plugins.Select(plugin => top.Table("plugins", plugin, "registry")).OfType<TomlTable>())
        {
            var place = new ImportedPlace(report, registry.Line) { Path = path };
            var roots = (registry.Text("config_path") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries).Where(Directory.Exists).ToList();
            var mirrors = roots.Count > 0 ? ContainerdHosts.FromRoots(roots, report) : FromMirrors(registry, place);
            foreach (var mirror in mirrors)
                origins.Add(mirror);
            foreach (var host in registry.Table("configs")?.Keys ?? [])
                AddConfig(origins, host, registry, isOfDirectories: roots.Count > 0, place);
            if (registry.Has("headers"))
                place.At(registry.LineOf("headers"), "headers").Loss("are not carried over: a registry may refuse without");
        }
    }

    private static IEnumerable<ImportedOrigin> FromMirrors(TomlTable registry, ImportedPlace place)
    {
        foreach (var host in registry.Table("mirrors")?.Keys ?? [])
        {
            var mirror = registry.Table("mirrors", host) ?? new TomlTable(0);
            var at = place.At(mirror.LineOf("endpoint"), "endpoint");
            var endpoints = mirror.Texts("endpoint").Select(url => FromUrl(url, host, registry, at)).OfType<ImportedEndpoint>();
            yield return new ImportedOrigin(host, [.. endpoints]);
        }
    }

    private static ImportedEndpoint? FromUrl(string url, string origin, TomlTable registry, ImportedPlace place)
    {
        var endpoint = ImportedEndpoint.Parse(url, place, static path => path.Length == 0 ? "v2" : path); // written out, it is the API's own
        if (endpoint is null)
            place.Loss("an endpoint is no URL of a registry, so it is not imported");
        return endpoint is null ? null : WithConfig(endpoint with { IsOrigin = endpoint.IsAt(origin), IsToldOrigin = true }, registry);
    }

    /// <summary>Whoever is pulled from by that name: the credential is for all, its TLS for hosts that have no directory.</summary>
    private static void AddConfig(ImportedOrigins origins, string host, TomlTable registry, bool isOfDirectories, ImportedPlace place)
    {
        var credential = ReadCredential(registry, host);
        var own = ImportedEndpoint.Parse(host, place.At(registry.Table("configs", host)?.Line ?? 0, "configs"), static _ => "v2");
        if (own is null)
            return;
        if (credential.Count > 0)
            origins.AddCredential(own.Host, credential);
        var told = isOfDirectories ? own with { Credential = credential } : WithConfig(own, registry);
        origins.Add(new ImportedOrigin(own.Host, [told with { IsOrigin = true }]) { IsWhole = false });
    }

    private static ImportedEndpoint WithConfig(ImportedEndpoint endpoint, TomlTable registry)
    {
        var tls = registry.Table("configs", endpoint.Host, "tls");
        return endpoint with
        {
            Credential = ReadCredential(registry, endpoint.Host),
            Ca = tls?.Text("ca_file") is { Length: > 0 } ca ? [ca] : [],
            Certificate = Given(tls?.Text("cert_file")),
            Key = Given(tls?.Text("key_file")),
            InsecureSkipVerify = tls?.IsTrue("insecure_skip_verify") == true,
        };
    }

    private static IReadOnlyList<KeyValuePair<string, string>> ReadCredential(TomlTable registry, string host) =>
        registry.Table("configs", host, "auth") is { } auth ? ImportedCredential.Read(auth.Text) : [];

    private static string? Given(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
