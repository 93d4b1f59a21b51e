using System.Text;
using System.Text.RegularExpressions;

namespace ImageCriShim.Installation;

/// <summary>
/// What changes in a text, as <c>diff -u</c> writes it. What looks like a secret is not shown: kubelet's and k3s's files hold tokens, and
/// variables proxies with passwords.
/// </summary>
internal static partial class UnifiedDiff
{
    private const string Nothing = "/dev/null";

    /// <param name="path">Of the file.</param>
    /// <param name="before">Null where there was none.</param>
    /// <param name="after">Null where there is none any more.</param>
    /// <param name="context">Lines around each change.</param>
    public static string Format(string path, byte[]? before, byte[]? after, int context = 3)
    {
        var text = new StringBuilder($"--- {(before is null ? Nothing : path)}\n+++ {(after is null ? Nothing : path)}\n");
        var lines = Shown(LineDiff.Of(LinesOf(before), LinesOf(after)), before, after);
        for (var start = 0; NextChange(lines, start) is >= 0 and var change;)
        {
            var begin = Math.Max(start, change - context);
            var end = EndOfHunk(lines, change, context);
            Append(text, lines, begin, end);
            start = end;
        }

        return text.ToString();
    }

    /// <summary>Each with its end, so that a last line without one differs from one with it.</summary>
    public static string[] LinesOf(byte[]? content) => content is null ? [] : LinesOf(Encoding.UTF8.GetString(content));

    private static string[] LinesOf(string text) => [.. Line().Matches(text).Select(match => match.Value)];

    /// <summary>The same lines without secrets, which are looked for in each whole text: a value may stand below its key.</summary>
    private static List<DiffLine> Shown(IReadOnlyList<DiffLine> lines, byte[]? before, byte[]? after)
    {
        var (old, now) = (new Queue<string>(HiddenLines(before)), new Queue<string>(HiddenLines(after)));
        var shown = new List<DiffLine>();
        foreach (var (sign, _) in lines)
        {
            var text = sign == '-' ? old.Dequeue() : now.Dequeue();
            if (sign == ' ')
                old.Dequeue();
            shown.Add(new DiffLine(sign, text));
        }

        return shown;
    }

    private static string[] HiddenLines(byte[]? content) => content is null ? [] : LinesOf(SecretText.Hide(Encoding.UTF8.GetString(content)));

    private static int NextChange(List<DiffLine> lines, int start)
    {
        while (start < lines.Count && lines[start].Sign == ' ')
            start++;
        return start < lines.Count ? start : -1;
    }

    private static int EndOfHunk(List<DiffLine> lines, int change, int context)
    {
        while (true)
        {
            while (change < lines.Count && lines[change].Sign != ' ')
                change++;
            var next = NextChange(lines, change);
            if (next < 0 || next - change > 2 * context)
                return Math.Min(lines.Count, change + context);
            change = next;
        }
    }

    private static void Append(StringBuilder text, List<DiffLine> lines, int begin, int end)
    {
        var hunk = lines.Skip(begin).Take(end - begin).ToList();
        text.Append($"@@ -{Range(lines, begin, hunk, '+')} +{Range(lines, begin, hunk, '-')} @@\n");
        for (var i = begin; i < end; i++)
        {
            var (sign, line) = lines[i];
            text.Append(sign).Append(line.TrimEnd('\n')).Append('\n');
            if (!line.EndsWith('\n'))
                text.Append("\\ No newline at end of file\n");
        }
    }

    /// <summary>First line and number of lines; of no lines it is the line before.</summary>
    private static string Range(List<DiffLine> lines, int begin, List<DiffLine> hunk, char others)
    {
        var before = lines.Take(begin).Count(line => line.Sign != others);
        var count = hunk.Count(line => line.Sign != others);
        return count == 1 ? $"{before + 1}" : $"{(count == 0 ? before : before + 1)},{count}";
    }

    [GeneratedRegex(@"[^\n]*\n|[^\n]+$")]
    private static partial Regex Line();
}
