using YamlDotNet.RepresentationModel;

namespace ImageCriShim.Configuration;

/// <summary>Where each value of the settings was written.</summary>
internal sealed class Origins
{
    private readonly Dictionary<(string Registry, string Key), Origin> _found = [];

    /// <param name="registry">The address of an entry of <c>registries</c>; empty for the top level.</param>
    /// <param name="map">What was read of it.</param>
    /// <param name="inside">The key that the mapping is the value of; empty for none.</param>
    public void Add(string registry, YamlMap map, string inside = "")
    {
        foreach (var (key, value, report) in map.Written)
        {
            var name = inside.Length == 0 ? key : $"{inside}.{key}";
            if (value is YamlMappingNode nested)
                Add(registry, new YamlMap(nested, name, report), name);
            else
                _found[(registry, name.ToUpperInvariant())] = new Origin($"{report.File}:{value.Start.Line}", TextOf(value));
        }
    }

    private static string TextOf(YamlNode value) => value switch
    {
        YamlScalarNode scalar => scalar.Value ?? "",
        YamlSequenceNode list => $"[{string.Join(", ", list.Children.OfType<YamlScalarNode>().Select(entry => entry.Value))}]",
        _ => "",
    };

    /// <summary>Null: it is nowhere, so the default holds.</summary>
    public Origin? Find(string registry, string key) => _found.GetValueOrDefault((registry, key.ToUpperInvariant()));
}

/// <param name="Place"><c>file:line</c>.</param>
/// <param name="Text">As it is written, which may be a secret; of a list <c>[a, b]</c>.</param>
internal sealed record Origin(string Place, string Text)
{
    /// <summary>The paths that it names.</summary>
    public IEnumerable<string> Files => Text.StartsWith('[') ? Text.Trim('[', ']').Split(", ") : [Text];
}
