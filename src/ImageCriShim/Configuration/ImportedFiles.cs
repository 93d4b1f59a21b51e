using System.Text.Json;

namespace ImageCriShim.Configuration;

/// <summary>What was read of files of other programs, by what they are: a directory of containerd's, TOML, JSON, or YAML of a Go shim.</summary>
internal sealed class ImportedFiles
{
    private const int MaxBytes = 1024 * 1024; // as much as of a file of our own

    private readonly List<ImportedRegistry> _registries = [];

    /// <summary>Each address once, in the order in which they are to be asked.</summary>
    public IReadOnlyList<ImportedRegistry> Registries => _registries;

    /// <summary>The files of a Go shim together; null where there were none.</summary>
    public YamlMap? Shim { get; private set; }

    /// <summary>Entries of <c>registries</c> of those.</summary>
    public List<YamlMap> ShimRegistries { get; } = [];

    /// <param name="path">Of a file or directory.</param>
    /// <param name="report">Is told what cannot be read.</param>
    public void Read(string path, ConfigReport report)
    {
        if (Directory.Exists(path))
            Add(ContainerdImport.FromDirectory(path, report));
        else if (path.EndsWith(".toml", StringComparison.Ordinal))
            Add(ReadToml(path, report) is { } toml ? ContainerdImport.FromConfig(toml, path) : []);
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

    private void ReadJson(string path, ConfigReport report)
    {
        if (ReadText(path, report) is not { } text)
            return;
        try
        {
            using var json = JsonDocument.Parse(text);
            Add(DockerImport.From(json.RootElement.Clone(), path, report));
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

    private void Add(IEnumerable<ImportedRegistry> registries)
    {
        foreach (var registry in registries)
        {
            var known = _registries.FindIndex(one => one.Address == registry.Address);
            if (known < 0)
                _registries.Add(registry);
            else
                _registries[known] = _registries[known].With(registry);
        }
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
