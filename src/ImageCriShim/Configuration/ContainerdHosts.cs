namespace ImageCriShim.Configuration;

/// <summary>
/// Mirrors as containerd has them in a directory with one for each host, which holds a <c>hosts.toml</c>, or certificates as docker has them
/// (containerd, docs/hosts.md).
/// </summary>
internal static class ContainerdHosts
{
    public const string HostsFile = "hosts.toml";

    private const string Default = "_default";

    /// <param name="roots">Such as <c>/etc/containerd/certs.d</c>; a host is looked for in the first one that has it.</param>
    /// <param name="report">Is told what cannot be read or said.</param>
    public static IEnumerable<ImportedOrigin> FromRoots(IEnumerable<string> roots, ConfigReport report)
    {
        var seen = new HashSet<string>();
        foreach (var root in roots)
        {
            foreach (var directory in Directory.EnumerateDirectories(root).Order(StringComparer.Ordinal))
            {
                if (seen.Add(OriginOf(directory)) && FromDirectory(directory, report) is { } origin)
                    yield return origin;
            }

            if (seen.Contains(ImportedOrigin.Others))
                break; // containerd looks into no later root then
        }
    }

    /// <param name="directory">Of one host.</param>
    /// <param name="report">Is told what cannot be read or said.</param>
    /// <returns>Null where its file cannot be read.</returns>
    public static ImportedOrigin? FromDirectory(string directory, ConfigReport report)
    {
        var (name, file) = (Path.GetFileName(Path.GetFullPath(directory)), Path.Combine(directory, HostsFile));
        var place = new ImportedPlace(report.For($"{name}/{HostsFile}"), 0) { Path = file };
        var origin = OriginOf(directory);
        if (new FileInfo(file) is not { Exists: true, Length: > 0 })
            return new ImportedOrigin(origin, [.. FromCertificates(directory, origin, place)]);
        if (ImportedFiles.ReadToml(file, report) is not { } hosts)
            return null;
        if (!hosts.Has("host"))
            place.At(hosts.LineOf("server")).Warning("without a table [host] containerd before 2.0 goes by nothing that the file says");
        var told = new ContainerdHost(origin, place);
        var urls = hosts.Table("host")?.Keys ?? [];
        var endpoints = urls.Select(url => told.Read(url, hosts.Table("host", url) ?? new TomlTable(hosts.LineOf("host")))).ToList();
        return new ImportedOrigin(origin, [.. endpoints.Append(told.ReadServer(hosts)).OfType<ImportedEndpoint>()]);
    }

    /// <summary>Those are for the host itself.</summary>
    private static IEnumerable<ImportedEndpoint> FromCertificates(string directory, string origin, ImportedPlace place)
    {
        var files = Directory.EnumerateFiles(directory).Order(StringComparer.Ordinal).ToList();
        var certificates = files.Where(file => file.EndsWith(".cert", StringComparison.Ordinal)).ToList();
        var authorities = files.Where(file => file.EndsWith(".crt", StringComparison.Ordinal)).ToList();
        if (origin == ImportedOrigin.Others || (certificates.Count == 0 && authorities.Count == 0))
            yield break;
        foreach (var more in certificates.Skip(1))
            place.Loss($"{more} is a second client certificate, and tls.cert names one");
        var key = certificates is [var first, ..] ? Path.ChangeExtension(first, ".key") : null;
        yield return new ImportedEndpoint(Uri.UriSchemeHttps, ContainerdHost.ApiHostOf(origin), place with { Path = directory })
        {
            IsOrigin = true,
            Ca = authorities,
            Certificate = certificates.FirstOrDefault(),
            Key = File.Exists(key) ? key : null,
        };
    }

    /// <summary><c>host_5000_</c> is <c>host:5000</c>.</summary>
    private static string OriginOf(string directory)
    {
        var name = Path.GetFileName(Path.GetFullPath(directory));
        if (name == Default)
            return ImportedOrigin.Others;
        return name.EndsWith('_') && name.LastIndexOf('_', name.Length - 2) is > 0 and var port ? $"{name[..port]}:{name[(port + 1)..^1]}" : name;
    }
}
