using System.Text;
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
        var rest = files.Registries.AsEnumerable();
        if (files.Shim is { } shim)
        {
            WriteMap(shim, "", "");
        }
        else if (files.Registries is [var first, ..])
        {
            _text.Append("# the first registry that was found; whatever comes first among equals is asked first\n");
            WriteRegistry(first, "", "", priority: null);
            rest = rest.Skip(1);
        }

        var others = rest.ToList();
        if (others.Count + files.ShimRegistries.Count == 0)
            return $"{_text}";
        _text.Append("registries:\n");
        foreach (var entry in files.ShimRegistries)
            WriteMap(entry, "- ", "  ");
        foreach (var (number, registry) in others.Index())
            WriteRegistry(registry, "- ", "  ", Math.Max(1, FirstPriority - number));
        return $"{_text}";
    }

    private void WriteRegistry(ImportedRegistry registry, string first, string rest, int? priority)
    {
        Add(first, "address", registry.Address, $"from {registry.From}{(registry.Remark is null ? "" : $": {registry.Remark}")}");
        foreach (var (key, value) in registry.Credential)
            Add(rest, key, value, "");
        if (priority is { } number)
            Add(rest, "priority", $"{number}", "");
        if (registry.Images is { } images)
            _text.Append($"{rest}images: [{string.Join(", ", images.Select(Quote))}]\n");
        if (registry is { Ca: null, Certificate: null, InsecureSkipVerify: false })
            return;
        _text.Append($"{rest}tls:\n");
        foreach (var (key, value) in new[] { ("ca", registry.Ca), ("cert", registry.Certificate), ("key", registry.Key), ("insecureSkipVerify", registry.InsecureSkipVerify ? "true" : null) })
        {
            if (value is not null)
                Add($"{rest}  ", key, value, key == "insecureSkipVerify" ? "whoever answers is believed" : "");
        }
    }

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
                _text.Append($"{indent}{key}: [{string.Join(", ", list.Children.OfType<YamlScalarNode>().Select(entry => Quote(entry.Value ?? "")))}]\n");
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
