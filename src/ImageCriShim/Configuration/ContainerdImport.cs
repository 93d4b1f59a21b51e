using System.Text;

namespace ImageCriShim.Configuration;

/// <summary>
/// Mirrors as containerd has them: <c>registry.mirrors</c> and <c>registry.configs</c> of <c>config.toml</c>, or a directory with a
/// <c>hosts.toml</c> for each host (containerd, docs/cri/registry.md and docs/hosts.md).
/// </summary>
internal static class ContainerdImport
{
    private const string All = "*";
    private const string HostsFile = "hosts.toml";

    private static readonly string[] s_plugins = ["io.containerd.cri.v1.images", "io.containerd.grpc.v1.cri", "cri"];

    public static IEnumerable<ImportedRegistry> FromConfig(TomlTable top, string source)
    {
        foreach (var registry in s_plugins.Select(plugin => top.Table("plugins", plugin, "registry")).OfType<TomlTable>())
        {
            foreach (var mirror in Mirrors(registry, source))
                yield return WithConfig(mirror, registry.Table("configs", mirror.Host) ?? registry.Table("configs", mirror.Address));
            foreach (var host in registry.Table("configs")?.Keys ?? [])
            {
                if (!Mirrors(registry, source).Any(mirror => mirror.Host == host || mirror.Address == host) && ImportedRegistry.FindAddress(host) is { } address)
                    yield return WithConfig(new ImportedRegistry(address, source) { Images = [new Uri(address).Authority] }, registry.Table("configs", host));
            }
        }
    }

    /// <param name="path">Such as <c>/etc/containerd/certs.d</c>.</param>
    /// <param name="report">Is told what cannot be read.</param>
    public static IEnumerable<ImportedRegistry> FromDirectory(string path, ConfigReport report)
    {
        foreach (var directory in Directory.EnumerateDirectories(path).Order(StringComparer.Ordinal))
        {
            var (file, host) = (Path.Combine(directory, HostsFile), HostOf(Path.GetFileName(directory)));
            if (!File.Exists(file))
                continue;
            if (ImportedFiles.ReadToml(file, report) is not { } hosts)
                continue;
            foreach (var registry in FromHosts(hosts, host, file))
                yield return registry;
        }
    }

    private static IEnumerable<ImportedRegistry> FromHosts(TomlTable hosts, string host, string source)
    {
        foreach (var url in hosts.Table("host")?.Keys ?? [])
        {
            var told = hosts.Table("host", url) ?? new TomlTable(0);
            if (IsUrl(url) && (!told.Has("capabilities") || told.Texts("capabilities").Contains("pull")))
                yield return Told(url, told, host, source);
        }

        if (hosts.Text("server") is { Length: > 0 } server && IsUrl(server) && (!IsItself(server, host) || server.StartsWith("http:", StringComparison.Ordinal)))
            yield return Told(server, hosts, host, source);
    }

    private static ImportedRegistry Told(string url, TomlTable told, string host, string source)
    {
        var client = told.Texts("client");
        return Make(url, host, source) with
        {
            Ca = told.Texts("ca") is [var ca, ..] ? Absolute(ca, source) : null,
            Certificate = client is [var certificate, ..] ? Absolute(certificate, source) : null,
            Key = client is [_, { Length: > 0 } key, ..] ? Absolute(key, source) : null,
            InsecureSkipVerify = told.IsTrue("skip_verify"),
        };
    }

    private static IEnumerable<ImportedRegistry> Mirrors(TomlTable registry, string source) =>
        from host in registry.Table("mirrors")?.Keys ?? []
        from url in registry.Table("mirrors", host)?.Texts("endpoint") ?? []
        where IsUrl(url) && (!IsItself(url, host) || url.StartsWith("http:", StringComparison.Ordinal))
        select Make(url, host, source);

    private static ImportedRegistry Make(string url, string host, string source) => new(ImportedRegistry.FindAddress(url)!, source)
    {
        Images = host is All or "_default" ? null : [host],
    };

    private static bool IsUrl(string url) => ImportedRegistry.FindAddress(url) is not null;

    private static ImportedRegistry WithConfig(ImportedRegistry registry, TomlTable? config)
    {
        var (auth, tls) = (config?.Table("auth"), config?.Table("tls"));
        return registry with
        {
            Credential = auth is null ? [] : Credential(auth),
            Ca = Given(tls?.Text("ca_file")),
            Certificate = Given(tls?.Text("cert_file")),
            Key = Given(tls?.Text("key_file")),
            InsecureSkipVerify = tls?.IsTrue("insecure_skip_verify") == true,
        };
    }

    private static KeyValuePair<string, string>[] Credential(TomlTable auth) => auth switch
    {
        _ when auth.Text("identitytoken") is { Length: > 0 } token => [new("identityToken", token)],
        _ when auth.Text("auth") is { Length: > 0 } packed => [new("auth", Unpack(packed))],
        _ when auth.Text("username") is { Length: > 0 } user => [new("username", user), new("password", auth.Text("password") ?? "")],
        _ => [],
    };

    /// <summary>docker's form: <c>user:password</c> in base64.</summary>
    private static string Unpack(string packed)
    {
        var octets = new byte[packed.Length];
        return Convert.TryFromBase64String(packed, octets, out var length) ? Encoding.UTF8.GetString(octets, 0, length).TrimEnd('\0') : packed;
    }

    /// <summary>Docker Hub's own mirror stands in files of old: images come from there as given.</summary>
    private static bool IsItself(string url, string host) =>
        ImportedRegistry.FindAddress(url) is { } address && new Uri(address).Authority is var authority && (authority == host || (host == "docker.io" && authority == "registry-1.docker.io"));

    /// <summary><c>host_5000_</c> is <c>host:5000</c>.</summary>
    private static string HostOf(string directory) =>
        directory.EndsWith('_') && directory.LastIndexOf('_', directory.Length - 2) is > 0 and var port ? $"{directory[..port]}:{directory[(port + 1)..^1]}" : directory;

    private static string? Given(string? text) => string.IsNullOrEmpty(text) ? null : text;

    /// <summary>A path without one is one beside the file.</summary>
    private static string Absolute(string path, string file) => Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file))!, path);
}
