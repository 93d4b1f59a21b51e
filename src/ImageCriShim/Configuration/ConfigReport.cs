namespace ImageCriShim.Configuration;

/// <summary>
/// Collects what there is to say about a config file, so that everything is said at once. One line each:
/// <c>key (file:line): what is wrong; what is allowed</c>. No line quotes a secret.
/// </summary>
internal sealed class ConfigReport
{
    private const int LongestLine = 2048; // with all that is allowed

    private readonly List<Entry> problems = [];
    private readonly List<Entry> losses = [];
    private readonly List<Entry> warnings = [];
    private readonly List<Entry> notes = [];
    private readonly int _order; // among the files of one report
    private readonly Counter _files = new();

    public ConfigReport(string file) => File = file;

    private ConfigReport(string file, ConfigReport whole)
    {
        (File, problems, losses, warnings, notes, _files) = (file, whole.problems, whole.losses, whole.warnings, whole.notes, whole._files);
        _order = ++_files.Last;
    }

    /// <summary>Its name, as lines show it.</summary>
    public string File { get; }

    /// <summary>Makes the file unusable.</summary>
    public IReadOnlyList<string> Problems => InOrder(problems);

    /// <summary>What another program's file says and ours cannot, so that images may come from elsewhere.</summary>
    public IReadOnlyList<string> Losses => InOrder(losses);

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
    public void Problem(string key, long line, string text) => problems.Add(new(_order, line, Format(key, line, text)));

    public void Loss(string key, long line, string text) => losses.Add(new(_order, line, Format(key, line, text)));

    public void Warning(string key, long line, string text) => warnings.Add(new(_order, line, Format(key, line, text)));

    public void Note(string key, long line, string text) => notes.Add(new(_order, line, Format(key, line, text)));

    /// <summary>For what there is to say about one of several files, each of which has lines of its own.</summary>
    public ConfigReport For(string other) => new(other, this);

    /// <summary>Takes over what there is to say about another file, once although several lines name it.</summary>
    /// <param name="other">That file's.</param>
    /// <param name="line">Where this file names it.</param>
    public void Include(ConfigReport other, long line)
    {
        Include(problems, other.Problems, line);
        Include(warnings, other.Warnings, line);
        Include(notes, other.Notes, line);
    }

    private void Include(List<Entry> entries, IEnumerable<string> others, long line) =>
        entries.AddRange(others.Except(entries.Select(entry => entry.Text)).Select(text => new Entry(_order, line, text)).ToList());

    private string Format(string key, long number, string text)
    {
        var place = number > 0 ? $"{File}:{Math.Min(number, LastLine)}" : File;
        var line = key.Length == 0 ? $"{place}: {text}" : $"{key} ({place}): {text}";
        return PrintableText.Of(line, LongestLine); // a value that is quoted may hold a line break, or a terminal's commands
    }

    private static List<string> InOrder(List<Entry> entries) =>
        entries.Count == 0 ? [] : entries.Order(Comparer<Entry>.Create(CompareInFiles)).Select(e => e.Text).ToList();

    private static int CompareInFiles(Entry one, Entry other) =>
        one.File != other.File ? one.File.CompareTo(other.File) : one.Line.CompareTo(other.Line);

    /// <summary>A class, as it is compared by one: generic code over values would be compiled at every start that has something to say.</summary>
    private sealed record Entry(int File, long Line, string Text);

    private sealed class Counter
    {
        public int Last { get; set; }
    }
}
