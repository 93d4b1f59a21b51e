using ImageCriShim.Registries;
using YamlDotNet.RepresentationModel;

namespace ImageCriShim.Configuration;

/// <summary>
/// One mapping of the config file, or of several files, where a later one wins key by key. Every key that is asked for is known from then on; <see cref="RefuseOthers"/> then
/// speaks up about the rest, so there is no second list of keys to keep.
/// </summary>
internal sealed class YamlMap(YamlMappingNode? node, string path, ConfigReport report)
{
    // As sigs.k8s.io/yaml did it for the Go shim's files: Address is address.
    private readonly Dictionary<string, Entry> _entries = Entries(node, report);
    private readonly HashSet<string> _known = new(StringComparer.OrdinalIgnoreCase);

    public ConfigReport Report => report;

    /// <summary>The line this mapping begins at.</summary>
    public long Line => node?.Start.Line ?? 0;

    /// <summary>The key that this mapping is the value of; empty at the top.</summary>
    public string Path => path;

    /// <summary>The key with all that it lies in, as problems name it.</summary>
    public string PathOf(string key) => path.Length == 0 ? key : $"{path}.{key}";

    /// <summary>This mapping's own line where the key is absent.</summary>
    public long LineOf(string key) => _entries.TryGetValue(key, out var entry) ? entry.Key.Start.Line : Line;

    /// <summary>Of the file that the key is in.</summary>
    public ConfigReport ReportOf(string key) => _entries.TryGetValue(key, out var entry) ? entry.Report : report;

    /// <summary>Every key that is set.</summary>
    public IEnumerable<(string Key, YamlNode Value, ConfigReport Report)> Written =>
        _entries.Where(entry => !IsNull(entry.Value.Value)).Select(entry => (entry.Key, entry.Value.Value, entry.Value.Report));

    public void Problem(string key, string text) => ReportOf(key).Problem(PathOf(key), LineOf(key), text);

    /// <summary>Reports a value that cannot be used.</summary>
    /// <param name="value">What was written. It is quoted without what may be a secret.</param>
    /// <param name="why">What is wrong with it; what is allowed.</param>
    public void Refuse(string key, string value, string why) => Problem(key, $"{QuotedValue.Of(value)} {why}");

    public void Warning(string key, string text) => ReportOf(key).Warning(PathOf(key), LineOf(key), text);

    public bool Has(string key) => Find(key) is not null;

    /// <summary>As <see cref="Has"/>, but it stays a key that nobody knows.</summary>
    public bool HasUnknown(string key) => _entries.ContainsKey(key);

    public bool IsMap(string key) => Find(key) is YamlMappingNode;

    public bool IsList(string key) => Find(key) is YamlSequenceNode;

    /// <summary>Absent, or an empty text.</summary>
    public bool IsBlank(string key) => Find(key) is null or YamlScalarNode { Value: "" };

    /// <summary>The text of a scalar; null where the key is absent, null, or holds something else (which is reported).</summary>
    public string? Text(string key, string allowed)
    {
        switch (Find(key))
        {
            case null:
                return null;
            case YamlScalarNode scalar when !SecretKeys.Has(key) && SecretKeys.FindWithin(scalar.Value ?? "") is { } swallowed:
                Problem(key, $"holds {swallowed}: as well; write that on a line of its own, with a space behind its colon");
                return null;
            case YamlScalarNode scalar:
                return scalar.Value;
            default:
                Problem(key, $"is a list or a mapping; use {allowed}");
                return null;
        }
    }

    public YamlMap Map(string key)
    {
        var found = Find(key);
        if (found is not null and not YamlMappingNode)
            Problem(key, "is not a mapping; use keys with values, indented below it");
        return new YamlMap(found as YamlMappingNode, PathOf(key), ReportOf(key));
    }

    /// <summary>The entries of a list; none where the key is absent.</summary>
    public IList<YamlNode> List(string key, string allowed)
    {
        var found = Find(key);
        if (found is YamlSequenceNode list)
            return list.Children;
        if (found is not null)
            Problem(key, $"is not a list; use {allowed}");
        return [];
    }

    /// <summary>The entries of a list of texts; what is none is reported.</summary>
    public IEnumerable<string> Texts(string key, string allowed)
    {
        foreach (var (index, node) in List(key, allowed).Index())
        {
            if (node is YamlScalarNode { Value: { } text })
                yield return text;
            else
                ReportOf(key).Problem($"{PathOf(key)}[{index}]", node.Start.Line, $"is not a text; use {allowed}");
        }
    }

    /// <summary>Accepts a key of an older release, which does nothing.</summary>
    public void Retire(string key, string why)
    {
        if (_entries.Remove(key, out var entry))
            entry.Report.Note(PathOf(key), entry.Key.Start.Line, why);
    }

    /// <summary>Says of keys that files of the Go shim hold, and that are checked here, that nothing acts upon them.</summary>
    public void NoteIdle(params ReadOnlySpan<string> keys)
    {
        foreach (var key in keys)
        {
            if (Has(key))
                ReportOf(key).Note(PathOf(key), LineOf(key), "is accepted and checked, but has no effect in this release");
        }
    }

    /// <summary>Takes over what a later file says, key by key.</summary>
    /// <param name="later">The same mapping there.</param>
    /// <param name="oneOf">Keys that are one thing together: what one file says of it replaces all that an earlier one does.</param>
    public void Override(YamlMap later, params ReadOnlySpan<string> oneOf)
    {
        var replacesAll = false;
        foreach (var key in oneOf)
            replacesAll |= later.Has(key);
        foreach (var key in oneOf)
        {
            if (replacesAll)
                _entries.Remove(key);
        }

        foreach (var (key, entry) in later._entries)
        {
            if (!IsNull(entry.Value) || !_entries.ContainsKey(key))
                _entries[key] = entry;
        }
    }

    /// <summary>Takes a key out, for whoever has read it himself.</summary>
    public void Drop(string key) => _entries.Remove(key);

    /// <summary>To be called last: whatever has not been asked for is a mistake.</summary>
    public void RefuseOthers()
    {
        foreach (var (key, entry) in _entries)
        {
            if (!_known.Contains(key))
                Refuse(SecretKeys.Show(key), isCut: key.Contains(':'), entry);
        }
    }

    /// <param name="shown">Empty where the key is not to be seen.</param>
    /// <param name="isCut">The key goes on with a colon.</param>
    private void Refuse(string shown, bool isCut, Entry entry)
    {
        var nearest = shown.Length == 0 ? null : NearestWord.Find(shown, _known);
        var allowed = (nearest, isCut) switch
        {
            (null, true) => $"put a space behind the colon of a key; {AllKnown()}",
            (null, false) => AllKnown(),
            (_, true) => $"put a space behind the colon; did you mean {nearest}: ...?",
            (_, false) => $"did you mean {nearest}?",
        };
        entry.Report.Problem(shown.Length == 0 ? path : PathOf(shown), entry.Key.Start.Line, $"unknown key; {allowed}");
    }

    private string AllKnown() => $"known keys: {string.Join(", ", _known.Order(StringComparer.Ordinal))}";

    private YamlNode? Find(string key)
    {
        _known.Add(key);
        return _entries.TryGetValue(key, out var entry) && !IsNull(entry.Value) ? entry.Value : null;
    }

    /// <summary>Only unquoted: <c>auth: ""</c> and <c>auth: "null"</c> are texts.</summary>
    private static bool IsNull(YamlNode value) =>
        value is YamlScalarNode { Style: YamlDotNet.Core.ScalarStyle.Plain, Value: null or "" or "~" or "null" or "Null" or "NULL" };

    private static Dictionary<string, Entry> Entries(YamlMappingNode? node, ConfigReport report)
    {
        var entries = new Dictionary<string, Entry>(StringComparer.OrdinalIgnoreCase);
        if (node is null)
            return entries;
        foreach (var (key, value) in node.Children)
            entries[((YamlScalarNode)key).Value ?? ""] = new Entry(key, value, report); // the parser has refused all other keys
        return entries;
    }

    private sealed record Entry(YamlNode Key, YamlNode Value, ConfigReport Report);
}
