using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;

namespace ImageCriShim.Installation;

/// <summary>Adds an entry to a list of a file of YAML, as its first one, in each form that a list may have.</summary>
internal static class YamlList
{
    /// <summary>Ways to write it, one of which will do.</summary>
    /// <param name="there">What stands there; null for nothing.</param>
    public static IEnumerable<TextEdit> Additions(TextEdit file, YamlNode? there, string key, string entry)
    {
        var end = file.Text.Contains("\r\n", StringComparison.Ordinal) ? "\r\n" : "\n";
        var line = $"""^(?<key>["']?{key}["']?[ \t]*:""";
        var block = new Regex($"""{line}[ \t]*(?:\#[^\r\n]*)?\r?\n(?:[ \t]*(?:\#[^\r\n]*)?\r?\n)*)(?<indent>[ \t]*)-[ \t]+""", RegexOptions.Multiline);
        var flow = new Regex($"""{line}[ \t]*\[[ \t\r\n]*)(?<empty>\])?""", RegexOptions.Multiline);
        var empty = new Regex($"""{line})(?=[ \t]*(?:\#[^\r\n]*)?\r?$)""", RegexOptions.Multiline);
        if (there is YamlScalarNode { Value.Length: > 0 } only)
            yield return WithList(file, only, entry);
        yield return Edit(block, match => $"{match.Groups["indent"]}- \"{entry}\"{end}{match.Groups["indent"]}- ");
        yield return Edit(flow, match => $"\"{entry}\"{(match.Groups["empty"].Success ? "]" : ", ")}");
        if (there is null)
        {
            yield return file with { Text = TextEdit.WithLine(file.Text, $"{key}:\n  - \"{entry}\"") };
            yield return Edit(empty, _ => $" [\"{entry}\"]");
        }

        TextEdit Edit(Regex place, Func<Match, string> value) => file with { Text = place.Replace(file.Text, match => $"{match.Groups["key"]}{value(match)}", 1) };
    }

    /// <summary>A single argument without a list becomes one of two.</summary>
    private static TextEdit WithList(TextEdit file, YamlScalarNode only, string entry)
    {
        var (start, end) = YamlText.SpanOf(file, only);
        var text = file.Text[start..end];
        var quoted = text[0] is '"' or '\'' ? text : $"'{text.Trim().Replace("'", "''", StringComparison.Ordinal)}'";
        return file with { Text = $"{file.Text[..start]}[\"{entry}\", {quoted}]{file.Text[end..]}" };
    }
}
