using System.Text;

namespace ImageCriShim.Installation;

/// <summary>Our lines taken back from a text that somebody has changed since: what he wrote stays.</summary>
internal static class TakenBack
{
    /// <returns>Null where our lines are no longer found, are found twice, or where what is left would not say what he wrote.</returns>
    public static byte[]? Find(byte[] before, byte[] after, byte[] now)
    {
        var (old, ours, theirs) = (TextEdit.TextOf(before), TextEdit.TextOf(after), TextEdit.TextOf(now));
        var found = Candidates(before, after, theirs).FirstOrDefault(text => text is not null && ThreeWays.IsMerged(old, ours, theirs, text));
        return found is null ? null : TextEdit.BytesOf(found);
    }

    private static IEnumerable<string?> Candidates(byte[] before, byte[] after, string now)
    {
        var edits = Edits(before, after).ToList();
        yield return WithoutOurs(edits, now);
        // An entry of a list that is his by now.
        var ours = edits.SelectMany(edit => Lines(edit.Ours));
        var entries = ours.Where(line => line.TrimStart().StartsWith("- ", StringComparison.Ordinal)).ToHashSet();
        if (entries.Count > 0 && edits.TrueForAll(edit => edit.Theirs.Length == 0))
            yield return string.Concat(Lines(now).Where(line => !entries.Contains(line)));
    }

    private static string? WithoutOurs(IEnumerable<(string Ours, string Theirs)> edits, string text)
    {
        foreach (var (ours, theirs) in edits)
        {
            var at = IndexOfLine(text, ours, 0);
            if (ours.Length == 0 || at < 0 || IndexOfLine(text, ours, at + 1) >= 0)
                return null;
            text = text[..at] + theirs + text[(at + ours.Length)..];
        }

        return text;
    }

    /// <summary>What we have written, and what stood in its place.</summary>
    private static IEnumerable<(string Ours, string Theirs)> Edits(byte[] before, byte[] after)
    {
        var (ours, theirs) = (new StringBuilder(), new StringBuilder());
        foreach (var (sign, line) in LineDiff.Of(Lines(TextEdit.TextOf(before)), Lines(TextEdit.TextOf(after))).Append(new(' ', "")))
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

    private static string[] Lines(string text) => text.Split('\n') is var lines
        ? [.. lines.Select((line, index) => index < lines.Length - 1 ? $"{line}\n" : line).Where(line => line.Length > 0)]
        : [];
}
