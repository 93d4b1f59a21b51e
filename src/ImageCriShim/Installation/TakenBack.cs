using System.Text;

namespace ImageCriShim.Installation;

/// <summary>Our lines taken back from a text that somebody has changed since: what he wrote stays.</summary>
internal static class TakenBack
{
    /// <returns>Null where our lines are no longer found, or are found twice.</returns>
    public static byte[]? Find(byte[] before, byte[] after, byte[] now)
    {
        var text = TextEdit.TextOf(now);
        foreach (var (ours, theirs) in Edits(before, after))
        {
            var at = IndexOfLine(text, ours, 0);
            if (ours.Length == 0 || at < 0 || IndexOfLine(text, ours, at + 1) >= 0)
                return null;
            text = text[..at] + theirs + text[(at + ours.Length)..];
        }

        return TextEdit.BytesOf(text);
    }

    /// <summary>What we have written, and what stood in its place.</summary>
    private static IEnumerable<(string Ours, string Theirs)> Edits(byte[] before, byte[] after)
    {
        var (ours, theirs) = (new StringBuilder(), new StringBuilder());
        foreach (var (sign, line) in LineDiff.Of(Lines(before), Lines(after)).Append(new(' ', "")))
        {
            if (sign == '+')
                ours.Append(line);
            else if (sign == '-')
                theirs.Append(line);
            else if (ours.Length + theirs.Length > 0)
            {
                yield return ($"{ours}", $"{theirs}");
                ours.Clear();
                theirs.Clear();
            }
        }
    }

    private static int IndexOfLine(string text, string lines, int start)
    {
        for (var at = start; (at = text.IndexOf(lines, at, StringComparison.Ordinal)) >= 0; at++)
        {
            if (at == 0 || text[at - 1] == '\n')
                return at;
        }

        return -1;
    }

    // By octets, as they are edited.
    private static string[] Lines(byte[] content) => TextEdit.TextOf(content).Split('\n') is var lines
        ? [.. lines.Select((line, index) => index < lines.Length - 1 ? $"{line}\n" : line).Where(line => line.Length > 0)]
        : [];
}
