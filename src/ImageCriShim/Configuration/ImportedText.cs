using System.Text;
using ImageCriShim.Registries;
using YamlDotNet.RepresentationModel;

namespace ImageCriShim.Configuration;

/// <summary>What was imported as a config file of ours, with remarks on what to look at. It holds the secrets of what it came from.</summary>
internal sealed class ImportedText
{
    private const int FirstPriority = 500;

    private static readonly string[] s_retired = ["sync", "registry.d"];
    private static readonly string[] s_secrets = ["auth", "password", "identityToken", "registryToken"];
    private static readonly string[] s_nulls = ["", "~", "null", "Null", "NULL"];

    // What each key means, where that is stricter than it may have been taken for.
    private static readonly Dictionary<string, string> s_strict = new(StringComparer.OrdinalIgnoreCase)
    {
        ["address"] = "https without a scheme; certificates are verified (tls.ca names a private authority)",
        ["auth"] = "split at the first colon; it goes to this registry and to nobody else",
        ["password"] = "it goes to this registry and to nobody else",
        ["priority"] = "1 to 10000, 0 is the default (500)",
        ["offlinePriority"] = "1 to 10000, 0 is the default (1000)",
        ["version"] = "what the runtime is spoken to in; auto finds out",
        ["force"] = "starts without a runtime, and answers UNAVAILABLE until it is there",
    };

    private readonly StringBuilder _text = new();

    /// <summary>Whether others must not read it.</summary>
    public bool HoldsSecrets { get; private set; }

    public string Write(ImportedFiles files)
    {
        var registries = files.Registries;
        var first = Math.Min(Registry.MaxPriority, Math.Max(FirstPriority, registries.Count));
        var top = files.Shim is null ? FindTop(registries) : null;
        if (files.Shim is { } shim)
            WriteMap(shim, "", "");
        if (top is not null)
            WriteTop(top, registries[0] == top ? null : PriorityOf(top));
        if (files.Block.Count > 0)
            _text.Append($"block: {List(files.Block)}\n");

        var others = registries.Where(registry => registry != top).ToList();
        if (others.Count + files.ShimRegistries.Count == 0)
            return $"{_text}";
        _text.Append("registries:\n");
        foreach (var entry in files.ShimRegistries)
            WriteMap(entry, "- ", "  ");
        foreach (var registry in others)
        {
            var exclude = registry.Exclude.Except(top?.Exclude ?? []);
            WriteRegistry(registry with { Exclude = [.. exclude] }, "- ", "  ", ("priority", PriorityOf(registry)));
        }

        return $"{_text}";

        int PriorityOf(ImportedRegistry registry) =>
            Math.Max(1, first - registries.Index().First(entry => entry.Item == registry).Index + (top is not null && registries[0] == top ? 1 : 0));
    }

    /// <summary>The first registry, unless what it excludes is asked of another: <c>exclude</c> at the top is about all.</summary>
    private static ImportedRegistry? FindTop(IReadOnlyList<ImportedRegistry> registries)
    {
        var top = registries.FirstOrDefault(registry => registries.All(other => registry.Exclude.All(other.Exclude.Contains)));
        if (top is null && registries is [var first, ..])
            first.Place.Loss($"each registry is for images that another is not for, which the top of the file cannot say");
        return top ?? (registries is [var any, ..] ? any : null);
    }

    private void WriteTop(ImportedRegistry top, int? priority)
    {
        _text.Append(priority is null
            ? "# the first registry that was found; whatever comes first among equals is asked first\n"
            : "# the registry that excludes nothing; its place is that of offlinePriority\n");
        WriteRegistry(top, "", "", ("offlinePriority", priority));
    }

    private void WriteRegistry(ImportedRegistry registry, string first, string rest, (string Key, int? Value) priority)
    {
        Add(first, "address", registry.Address, $"from {registry.Place.Path}{(registry.Remark is null ? "" : $": {registry.Remark}")}");
        foreach (var (key, value) in registry.Credential)
            Add(rest, key, value, "");
        if (priority.Value is { } number)
            Add(rest, priority.Key, $"{number}", "");
        _text.Append($"{rest}images: {List(registry.Images)}\n");
        if (registry.Exclude.Count > 0)
            _text.Append($"{rest}exclude: {List(registry.Exclude)}\n");
        if (registry.Path != ImportedRegistry.WholeRepository)
            Add(rest, "path", registry.Path, "");
        if (registry.ApiRoot != Registry.DefaultApiRoot)
            Add(rest, "apiRoot", $"/{registry.ApiRoot}", "");
        if (registry.SendsNamespace)
            Add(rest, "ns", "true", "the runtime pulls the name as given through its own mirrors: leave them as they are");
        if (registry.PullFromMirror != PullFromMirror.All)
            Add(rest, "pullFromMirror", RegistryReader.WordOf(registry.PullFromMirror), "");
        WriteTls(registry, rest);
    }

    private void WriteTls(ImportedRegistry registry, string rest)
    {
        if (!registry.HasTls)
            return;
        _text.Append($"{rest}tls:\n");
        if (registry.Ca is [_, _, ..])
            _text.Append($"{rest}  ca: {List(registry.Ca)}\n");
        foreach (var (key, value) in new[] { ("ca", registry.Ca is [var only] ? only : null), ("cert", registry.Certificate), ("key", registry.Key) })
        {
            if (value is not null)
                Add($"{rest}  ", key, value, "");
        }

        if (registry.InsecureSkipVerify)
            Add($"{rest}  ", "insecureSkipVerify", "true", "whoever answers is believed");
    }

    private static string List(IEnumerable<string> values) => $"[{string.Join(", ", values.Select(Quote))}]";

    private void WriteMap(YamlMap map, string first, string rest)
    {
        var indent = first;
        foreach (var (key, value, _) in map.Written.OrderBy(entry => Rank(entry.Key)))
        {
            if (s_retired.Contains(key, StringComparer.OrdinalIgnoreCase))
            {
                _text.Append($"{(indent == first ? "" : indent)}# {key} does nothing any more\n");
                continue;
            }

            WriteNode(indent, key, value);
            indent = rest;
        }
    }

    /// <summary>Where it is and as whom comes first.</summary>
    private static int Rank(string key) => key.ToUpperInvariant() switch
    {
        "ADDRESS" => 0,
        "USERNAME" => 1,
        _ => CredentialReader.Keys.Contains(key, StringComparer.OrdinalIgnoreCase) ? 2 : 3,
    };

    private void WriteNode(string indent, string key, YamlNode value)
    {
        switch (value)
        {
            case YamlScalarNode scalar:
                Add(indent, key, scalar.Value ?? "", s_strict.GetValueOrDefault(key, ""));
                break;
            case YamlSequenceNode list:
                _text.Append($"{indent}{key}: {List(list.Children.OfType<YamlScalarNode>().Select(entry => entry.Value ?? ""))}\n");
                break;
            case YamlMappingNode map:
                _text.Append($"{indent}{key}:\n");
                foreach (var (inner, within) in map.Children)
                    WriteNode($"{new string(' ', indent.Length)}  ", $"{inner}", within);
                break;
        }
    }

    private void Add(string indent, string key, string value, string remark)
    {
        HoldsSecrets |= s_secrets.Contains(key, StringComparer.OrdinalIgnoreCase) && value.Length > 0;
        _text.Append($"{indent}{key}: {Quote(value)}{(remark.Length == 0 ? "" : $"  # {remark}")}\n");
    }

    /// <summary>In quotes unless YAML could not take it for anything else (sections 5.7 and 7.3.1 of YAML 1.2).</summary>
    private static string Quote(string value)
    {
        var isPlain = !s_nulls.Contains(value) && value.All(c => char.IsAsciiLetterOrDigit(c) || "/._-:".Contains(c)) && !"-:.".Contains(value[0]) && !value.EndsWith(':');
        if (isPlain)
            return value;
        var quoted = new StringBuilder("\"");
        foreach (var c in value)
            quoted.Append(c is '"' or '\\' ? $"\\{c}" : char.IsControl(c) ? $"\\u{(int)c:x4}" : $"{c}");
        return quoted.Append('"').ToString();
    }
}
