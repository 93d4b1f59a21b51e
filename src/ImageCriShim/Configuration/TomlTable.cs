namespace ImageCriShim.Configuration;

/// <summary>A table of a TOML file. Of what is asked for in the wrong form nothing is found.</summary>
/// <param name="line">Of its header, counted from 1; 0 for the whole file.</param>
internal sealed class TomlTable(int line)
{
    private readonly Dictionary<string, (object Value, int Line)> _entries = new(StringComparer.Ordinal);

    public int Line => line;

    public IEnumerable<string> Keys => _entries.Keys;

    /// <summary>Null where there is no such table.</summary>
    public TomlTable? Table(params ReadOnlySpan<string> path)
    {
        var table = this;
        foreach (var key in path)
            table = table?.Find(key) as TomlTable;
        return table;
    }

    /// <summary>What <c>[[key]]</c> opens.</summary>
    public IEnumerable<TomlTable> Tables(string key) => (Find(key) as List<object> ?? []).OfType<TomlTable>();

    public string? Text(string key) => Find(key) as string;

    /// <summary>A text, or the texts of a list and of the lists in it.</summary>
    public IReadOnlyList<string> Texts(string key) => Flatten(Find(key)).ToList();

    public bool IsTrue(string key) => Find(key) is true;

    /// <summary>A text or something else that is written without quotes, as it is written.</summary>
    public string? Scalar(string key) => Find(key) switch
    {
        string text => text,
        TomlBare bare => bare.Text,
        _ => null,
    };

    public bool Has(string key) => _entries.ContainsKey(key);

    /// <summary>0 where it is not there.</summary>
    public int LineOf(string key) => _entries.GetValueOrDefault(key).Line;

    internal object? Find(string key) => _entries.GetValueOrDefault(key).Value;

    internal bool TryAdd(string key, object value, int at) => _entries.TryAdd(key, (value, at));

    private static IEnumerable<string> Flatten(object? value) => value switch
    {
        string text => [text],
        List<object> list => list.SelectMany(Flatten),
        _ => [],
    };
}

/// <summary>A number or a date, as it is written.</summary>
internal sealed record TomlBare(string Text);
