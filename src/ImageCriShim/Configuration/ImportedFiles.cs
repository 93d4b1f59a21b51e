using System.Text.Json;

namespace ImageCriShim.Configuration;

/// <summary>
/// What was read of files of other programs, by what they are: a directory of containerd's, TOML, CRI-O's <c>.conf</c>, JSON, or YAML of k3s or a
/// Go shim.
/// </summary>
internal sealed class ImportedFiles
{
    private const int MaxBytes = 1024 * 1024; // as much as of a file of our own

    private readonly ImportedOrigins _origins = new();
    private IReadOnlyList<ImportedRegistry>? _registries;

    /// <summary>Each registry once, in the order in which they are to be asked. To be looked at when all files are read.</summary>
    public IReadOnlyList<ImportedRegistry> Registries => _registries ??= _origins.Combine();

    /// <summary>Images that may not be pulled.</summary>
    public IReadOnlyList<string> Block => _origins.Block;

    /// <summary>The files of a Go shim together; null where there were none.</summary>
    public YamlMap? Shim { get; private set; }

    /// <summary>Entries of <c>registries</c> of those.</summary>
    public List<YamlMap> ShimRegistries { get; } = [];

    /// <param name="path">Of a file or directory.</param>
    /// <param name="report">Is told what cannot be read.</param>
    public void Read(string path, ConfigReport report)
    {
        if (path.EndsWith(".conf", StringComparison.Ordinal) || IsDirectoryOfDropIns(path))
            CrioImport.Add(_origins, path, report);
        else if (Directory.Exists(path))
            Add(ContainerdHosts.FromRoots([path], report));
        else if (Path.GetFileName(path) == ContainerdHosts.HostsFile && File.Exists(path))
            Add(ContainerdHosts.FromDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!, report) is { } origin ? [origin] : []);
        else if (path.EndsWith(".toml", StringComparison.Ordinal))
            ReadConfig(path, report);
        else if (path.EndsWith(".json", StringComparison.Ordinal))
            ReadJson(path, report);
        else
            ReadShim(path, report);
    }

    /// <returns>Null where it cannot be read, which is reported.</returns>
    public static TomlTable? ReadToml(string path, ConfigReport report)
    {
        if (ReadText(path, report) is not { } text)
            return null;
        var table = TomlParser.Parse(text, out var problem);
        if (table is null)
            report.Problem("", 0, $"{path} is not TOML: {problem}");
        return table;
    }

    private static bool IsDirectoryOfDropIns(string path) =>
        Directory.Exists(path) && Path.GetFullPath(path).TrimEnd('/').EndsWith(".conf.d", StringComparison.Ordinal);

    private void ReadConfig(string path, ConfigReport report)
    {
        if (ReadToml(path, report) is { } toml)
            ContainerdImport.Add(_origins, toml, path, report);
    }

    private void ReadJson(string path, ConfigReport report)
    {
        if (ReadText(path, report) is not { } text)
            return;
        try
        {
            using var json = JsonDocument.Parse(text);
            Add(DockerImport.From(json.RootElement.Clone(), new ImportedPlace(report, 0) { Path = path }, report));
        }
        catch (JsonException e)
        {
            report.Problem("", 0, $"{path} is not JSON: see line {e.LineNumber + 1}");
        }
    }

    private void ReadShim(string path, ConfigReport report)
    {
        if (YamlFile.Read(path, report) is not { } map || ConfigMapForm.IsManifest(map))
            return;
        if (K3sImport.IsOne(map))
        {
            K3sImport.Add(_origins, map, path);
            return;
        }

        ConfigMapForm.Unfold(map);
        foreach (var (node, number) in map.List("registries", "a list of entries").Select((node, number) => (node, number)))
        {
            var entry = new YamlMap(node as YamlDotNet.RepresentationModel.YamlMappingNode, $"registries[{number}]", report);
            ConfigMapForm.UnfoldEntry(entry);
            ShimRegistries.Add(entry);
        }

        map.Drop("registries");
        if (Shim is null)
            Shim = map;
        else
            Shim.Override(map, CredentialReader.Keys);
    }

    private void Add(IEnumerable<ImportedOrigin> origins)
    {
        foreach (var origin in origins)
            _origins.Add(origin);
    }

    private static string? ReadText(string path, ConfigReport report)
    {
        try
        {
            if (TextFile.Read(path, MaxBytes) is { } text)
                return text;
            report.Problem("", 0, $"{path} is larger than {MaxBytes / 1024} KiB; is it the right file?");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            report.Problem("", 0, $"{path} {YamlFile.WhyUnreadable(e)}");
        }

        return null;
    }
}
