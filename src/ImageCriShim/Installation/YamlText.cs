using System.Text;
using System.Text.RegularExpressions;
using ImageCriShim.Configuration;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace ImageCriShim.Installation;

/// <summary>Top-level keys of a file of YAML or JSON, edited in place: order, comments, quotes and line ends stay.</summary>
internal static class YamlText
{
    /// <returns>Null where the key is absent, empty or no text.</returns>
    /// <exception cref="InstallException">It is no YAML.</exception>
    public static string? Find(TextEdit file, string key) => Parse(file) is var map && map.IsBlank(key) ? null : map.Text(key, "a text");

    /// <summary>The same, with the place where it stands.</summary>
    public static ToldSocket? Socket(TextEdit file, string key) =>
        Find(file, key) is { } value ? new ToldSocket(value, file.Path, (int)Parse(file).LineOf(key)) : null;

    /// <summary>Whether the key stands there, even if empty.</summary>
    public static bool Has(TextEdit file, string key) => Parse(file).HasUnknown(key);

    /// <summary>The texts of a list, or the one that stands there without a list.</summary>
    public static IEnumerable<string> Entries(TextEdit file, string key) => FindNode(file, key) switch
    {
        YamlSequenceNode list => list.Children.OfType<YamlScalarNode>().Select(node => node.Value ?? ""),
        YamlScalarNode { Value: { Length: > 0 } only } => [only],
        _ => [],
    };

    /// <summary>Points a key at a socket, but where it is pointed there already. It is added where it is absent.</summary>
    /// <exception cref="InstallException">It stands there in a way that we cannot edit.</exception>
    public static TextEdit Point(TextEdit file, string key, string endpoint)
    {
        if (Find(file, key) is { } old && Endpoint.AreSame(old, endpoint))
            return file;
        // Looked at as who reads it will: no text is edited on trust.
        return Edits(file, key, endpoint).FirstOrDefault(edited => Parses(edited) && Find(edited, key) == endpoint && HasSameOthers(file, edited, key))
            ?? throw new InstallException($"{file.Path}: {key} stands there in a way that is not edited here; write {key}: {endpoint} yourself, and install again");
    }

    /// <summary>Adds an entry to a list, whatever its form; the list is made where it is absent.</summary>
    /// <exception cref="InstallException">It stands there in a way that we cannot edit.</exception>
    public static TextEdit AddEntry(TextEdit file, string key, string entry) =>
        YamlList.Additions(file, FindNode(file, key), key, entry).FirstOrDefault(edited =>
            Parses(edited) && Entries(edited, key).SequenceEqual(Entries(file, key).Prepend(entry)) && HasSameOthers(file, edited, key))
        ?? throw new InstallException($"{file.Path}: {key} stands there in a way that is not edited here; add \"{entry}\" to it yourself, and install again");

    public static bool Parses(TextEdit file) => TryParse(file.Text, file.Path, out _) is not null;

    /// <summary>What stands at the top; null where the text is no YAML.</summary>
    public static Dictionary<string, YamlNode>? TryRead(string text) =>
        TryParse(text, "", out var report) is { } map && report.Problems.Count == 0 ? map.Written.ToDictionary(entry => entry.Key, entry => entry.Value) : null;

    /// <summary>Where a node stands in the file, with its quotes.</summary>
    public static (int Start, int End) SpanOf(TextEdit file, YamlNode node)
    {
        var text = Utf8Of(file.Text);
        return (Offset(node.Start), Offset(node.End));

        int Offset(Mark mark) => Encoding.UTF8.GetByteCount(text.AsSpan(0, (int)mark.Index));
    }

    /// <summary>Ways to write it, one of which will do.</summary>
    private static IEnumerable<TextEdit> Edits(TextEdit file, string key, string endpoint)
    {
        var line = new Regex(
            $"""^(?<key>["']?{key}["']?[ \t]*:)(?<space>[ \t]*)(?:"[^"\r\n]*"|'[^'\r\n]*'|[^\s#"'][^\r\n]*?)?(?=(?:[ \t]+\#[^\r\n]*|[ \t]*)\r?$)""",
            RegexOptions.Multiline);
        if (line.IsMatch(file.Text))
            yield return file with { Text = line.Replace(file.Text, match => $"{match.Groups["key"]}{Space(match)}{Quoted(match.Value, endpoint)}", 1) };
        if (FindNode(file, key) is YamlScalarNode { Style: ScalarStyle.DoubleQuoted or ScalarStyle.SingleQuoted or ScalarStyle.Plain } node)
        {
            var (start, end) = SpanOf(file, node);
            yield return file with { Text = $"{file.Text[..start]}{Quoted(file.Text[start..end], endpoint)}{file.Text[end..]}" };
        }
        else if (!Has(file, key))
        {
            yield return file with { Text = TextEdit.WithLine(file.Text, $"{key}: {endpoint}") };
            if (Regex.Match(file.Text, """\{(?<space>\s*)(?<empty>\})?""") is { Success: true } open)
            {
                var entry = $"{open.Groups["space"]}\"{key}\": \"{endpoint}\"{(open.Groups["empty"].Success ? "" : ",")}";
                yield return file with { Text = file.Text.Insert(open.Index + 1, entry) };
            }
        }
    }

    private static YamlNode? FindNode(TextEdit file, string key) =>
        Parse(file).Written.FirstOrDefault(entry => entry.Key.Equals(key, StringComparison.OrdinalIgnoreCase)).Value;

    private static bool HasSameOthers(TextEdit file, TextEdit edited, string key)
    {
        var (before, after) = (Others(file), Others(edited));
        return before.Count == after.Count && before.All(entry => after.TryGetValue(entry.Key, out var value) && entry.Value.Equals(value));

        Dictionary<string, YamlNode> Others(TextEdit text) =>
            (TryRead(text.Text) ?? []).Where(entry => !entry.Key.Equals(key, StringComparison.OrdinalIgnoreCase)).ToDictionary();
    }

    private static YamlMap Parse(TextEdit file) => TryParse(file.Text, file.Path, out var report) is { } map && report.Problems.Count == 0
        ? map
        : throw new InstallException(report.Problems, InstallException.Failed);

    private static YamlMap? TryParse(string text, string path, out ConfigReport report)
    {
        report = new ConfigReport(path);
        return YamlFile.Parse(Utf8Of(text), report);
    }

    private static string Utf8Of(string text) => Encoding.UTF8.GetString(TextEdit.BytesOf(text));

    private static string Space(Match match) => match.Groups["space"].Length == 0 ? " " : match.Groups["space"].Value;

    private static string Quoted(string old, string value) =>
        old.Length > 0 && old[^1] is '"' or '\'' && !old.TrimEnd().EndsWith(':') ? $"{old[^1]}{value}{old[^1]}" : value;
}
