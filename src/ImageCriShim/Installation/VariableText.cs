using System.Text;
using System.Text.RegularExpressions;

namespace ImageCriShim.Installation;

/// <summary>
/// Reads and edits a file of variables as systemd reads it (systemd.exec(5), EnvironmentFile=): quotes may begin and end anywhere in a value,
/// and a backslash at the end of a line goes on in the next one.
/// </summary>
internal static partial class VariableText
{
    /// <summary>The value that is in force; null where there is none.</summary>
    public static string? Find(string text, string name) => Assignments(text).LastOrDefault(one => one.Name == name)?.Value;

    /// <summary>Adds flags to a variable, which is added where there is none.</summary>
    public static string Append(string text, string name, string flags)
    {
        if (Assignments(text).LastOrDefault(one => one.Name == name) is not { } found)
            return TextEdit.WithLine(EndsInTheMiddle(text) ? $"{text.TrimEnd('\r', '\n')}\n\n" : text, $"{name}={flags}");
        return text.Insert(found.End, found.Value.Length == 0 ? flags : $" {flags}");
    }

    /// <summary>A last line with a backslash at its end would swallow the next.</summary>
    private static bool EndsInTheMiddle(string text) =>
        text.EndsWith('\\') || text.EndsWith("\\\n", StringComparison.Ordinal) || text.EndsWith("\\\r\n", StringComparison.Ordinal);

    private static IEnumerable<Assignment> Assignments(string text)
    {
        for (var at = 0; at < text.Length;)
        {
            if (Name().Match(text, at) is { Success: true } name)
            {
                var found = ReadValue(text, name);
                yield return found;
                at = found.LineEnd + 1;
            }
            else
            {
                at = EndOfLine(text, at) + 1;
            }
        }
    }

    private static Assignment ReadValue(string text, Match name)
    {
        var value = new StringBuilder();
        var start = name.Index + name.Length;
        var (at, end, quote) = (start, start, '\0'); // end: behind what the value ends with, within its quotes
        for (; at < text.Length && (quote != '\0' || text[at] is not '\n'); at++)
        {
            var c = text[at];
            if (c == '\\' && quote != '\'' && LineBreakAt(text, at + 1) is > 0 and var width)
                at += width;
            else if (c == '\\' && quote != '\'' && at + 1 < text.Length)
            {
                value.Append(text[++at]);
                end = at + 1;
            }
            else if (c is '"' or '\'' && (quote == '\0' || quote == c))
            {
                end = quote == '\0' ? at + 1 : at;
                quote = quote == '\0' ? c : '\0';
            }
            else
            {
                value.Append(c);
                if (quote == '\0' && !char.IsWhiteSpace(c))
                    end = at + 1;
            }
        }

        return new Assignment(name.Groups["name"].Value, $"{value}".Trim(), end, at);
    }

    /// <returns>How wide it is; 0 where there is none.</returns>
    private static int LineBreakAt(string text, int at) => text.AsSpan(Math.Min(at, text.Length)) switch
    {
        ['\n', ..] => 1,
        ['\r', '\n', ..] => 2,
        _ => 0,
    };

    /// <summary>Of a line that is none of ours, with the lines that it goes on in.</summary>
    private static int EndOfLine(string text, int at)
    {
        while (text.IndexOf('\n', at) is >= 0 and var end)
        {
            if (end == 0 || text[end - 1] != '\\')
                return end;
            at = end + 1;
        }

        return text.Length;
    }

    /// <param name="End">Where more can be added to the value.</param>
    /// <param name="LineEnd">Of its last line.</param>
    private sealed record Assignment(string Name, string Value, int End, int LineEnd);

    [GeneratedRegex(@"\G[ \t]*(?:export[ \t]+)?(?<name>[A-Za-z_][A-Za-z0-9_]*)=[ \t]*")]
    private static partial Regex Name();
}
