namespace ImageCriShim.Configuration;

/// <summary>
/// Collects what there is to say about a config file, so that everything is said at once. One line each:
/// <c>key (file:line): what is wrong; what is allowed</c>. No line quotes a secret.
/// </summary>
internal sealed class ConfigReport(string file)
{
    private const int LongestLine = 2048; // with all that is allowed

    private readonly List<Entry> problems = [];
    private readonly List<Entry> warnings = [];
    private readonly List<Entry> notes = [];

    /// <summary>Its name, as lines show it.</summary>
    public string File => file;

    /// <summary>Makes the file unusable.</summary>
    public IReadOnlyList<string> Problems => InOrder(problems);

    /// <summary>The file is used, but not quite as written.</summary>
    public IReadOnlyList<string> Warnings => InOrder(warnings);

    /// <summary>Nothing to worry about, but good to know.</summary>
    public IReadOnlyList<string> Notes => InOrder(notes);

    /// <summary>
    /// Of a file in an image: whether a file is in that image as well. Those that its settings name are not opened then: they may not be there
    /// yet. Null: it is a file of this machine, and so are those.
    /// </summary>
    public Func<string, bool>? ImageHas { get; init; }

    /// <summary>Of the file. The parser of YAML counts on behind it, where what it misses would stand.</summary>
    public long LastLine { get; set; } = long.MaxValue;

    /// <param name="key">Such as <c>registries[2].priority</c>; empty for the file as a whole.</param>
    /// <param name="line">Counted from 1; 0 where the key is not in the file.</param>
    /// <param name="text">What is wrong; what is allowed.</param>
    public void Problem(string key, long line, string text) => problems.Add(new(line, Format(key, line, text)));

    public void Warning(string key, long line, string text) => warnings.Add(new(line, Format(key, line, text)));

    public void Note(string key, long line, string text) => notes.Add(new(line, Format(key, line, text)));

    /// <summary>Takes over what there is to say about another file, once although several lines name it.</summary>
    /// <param name="other">That file's.</param>
    /// <param name="line">Where this file names it.</param>
    public void Include(ConfigReport other, long line)
    {
        Include(problems, other.Problems, line);
        Include(warnings, other.Warnings, line);
        Include(notes, other.Notes, line);
    }

    private static void Include(List<Entry> entries, IEnumerable<string> others, long line) =>
        entries.AddRange(others.Except(entries.Select(entry => entry.Text)).Select(text => new Entry(line, text)).ToList());

    private string Format(string key, long number, string text)
    {
        var place = number > 0 ? $"{file}:{Math.Min(number, LastLine)}" : file;
        var line = key.Length == 0 ? $"{place}: {text}" : $"{key} ({place}): {text}";
        return PrintableText.Of(line, LongestLine); // a value that is quoted may hold a line break, or a terminal's commands
    }

    private static List<string> InOrder(List<Entry> entries) =>
        entries.Count == 0 ? [] : entries.Order(Comparer<Entry>.Create((one, other) => one.Line.CompareTo(other.Line))).Select(e => e.Text).ToList();

    /// <summary>A class, as it is compared by one: generic code over values would be compiled at every start that has something to say.</summary>
    private sealed record Entry(long Line, string Text);
}
