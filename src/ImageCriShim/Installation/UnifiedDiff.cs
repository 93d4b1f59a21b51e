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
        var lines = LineDiff.Of(LinesOf(before), LinesOf(after));
        for (var start = 0; NextChange(lines, start) is >= 0 and var change;)
        {
            var begin = Math.Max(start, change - context);
            var end = EndOfHunk(lines, change, context);
            Append(text, lines, begin, end);
            start = end;
        }

        return text.ToString();
    }

    public static string WithoutSecrets(string line) =>
        Flag().Replace(Secret().Replace(UserInfo().Replace(line, "://***@"), "${key}***"), "${flag}***");

    /// <summary>As <see cref="WithoutSecrets(string)"/>, of a line whose value may belong to a flag at the end of the one before it.</summary>
    private static string WithoutSecrets(string line, string before) =>
        WithoutSecrets(FlagAtEnd().IsMatch(before) ? FirstValue().Replace(line, "${begin}***", 1) : line);

    /// <summary>Each with its end, so that a last line without one differs from one with it.</summary>
    public static string[] LinesOf(byte[]? content) => content is null ? [] : [.. Line().Matches(Encoding.UTF8.GetString(content)).Select(match => match.Value)];

    private static int NextChange(IReadOnlyList<DiffLine> lines, int start)
    {
        while (start < lines.Count && lines[start].Sign == ' ')
            start++;
        return start < lines.Count ? start : -1;
    }

    private static int EndOfHunk(IReadOnlyList<DiffLine> lines, int change, int context)
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

    private static void Append(StringBuilder text, IReadOnlyList<DiffLine> lines, int begin, int end)
    {
        var hunk = lines.Skip(begin).Take(end - begin).ToList();
        text.Append($"@@ -{Range(lines, begin, hunk, '+')} +{Range(lines, begin, hunk, '-')} @@\n");
        for (var i = begin; i < end; i++)
        {
            var (sign, line) = lines[i];
            text.Append(sign).Append(WithoutSecrets(line.TrimEnd('\n'), LineBefore(lines, i))).Append('\n');
            if (!line.EndsWith('\n'))
                text.Append("\\ No newline at end of file\n");
        }
    }

    /// <summary>In the same one of the two texts.</summary>
    private static string LineBefore(IReadOnlyList<DiffLine> lines, int line)
    {
        var other = lines[line].Sign switch { '-' => '+', '+' => '-', _ => '+' };
        for (var i = line - 1; i >= 0; i--)
        {
            if (lines[i].Sign != other)
                return lines[i].Text;
        }

        return "";
    }

    /// <summary>First line and number of lines; of no lines it is the line before.</summary>
    private static string Range(IReadOnlyList<DiffLine> lines, int begin, List<DiffLine> hunk, char others)
    {
        var before = lines.Take(begin).Count(line => line.Sign != others);
        var count = hunk.Count(line => line.Sign != others);
        return count == 1 ? $"{before + 1}" : $"{(count == 0 ? before : before + 1)},{count}";
    }

    [GeneratedRegex(@"[^\n]*\n|[^\n]+$")]
    private static partial Regex Line();

    [GeneratedRegex(@"://[^/\s""'@]+@")]
    private static partial Regex UserInfo();

    // What a key that sounds like a secret's has for a value, unless that is the path of a file, a list or a switch.
    [GeneratedRegex(
        @"(?<key>(?:token|passw|secret|credential|auth(?!or|en)|[-_]key|apikey)[\w-]*[""']?\s*(?::\s*|=))(?![/{\[#]|(?:true|false)\b)(?:(?<==)[^\s""']+|(?<!=)[^\s#].*)",
        RegexOptions.IgnoreCase)]
    private static partial Regex Secret();

    // A flag that sounds like a secret's, with its value behind a space, or as the next item of a list. What begins with a dash is the next flag.
    [GeneratedRegex(
        $@"(?<flag>--?{SecretFlag}[""']?(?:\s*,\s*|\s+))(?:""(?!/)[^""]*""|'(?!/)[^']*'|(?![-\\/""'#\[{{]|(?:true|false)\b)[^\s""',\]]+)",
        RegexOptions.IgnoreCase)]
    private static partial Regex Flag();

    [GeneratedRegex($@"--?{SecretFlag}[""']?\s*,?\s*\\?\s*$", RegexOptions.IgnoreCase)]
    private static partial Regex FlagAtEnd();

    [GeneratedRegex(@"(?<begin>^\s*(?:-\s+)?)(?:""(?!/)[^""]*""|'(?!/)[^']*'|(?![-/]|[^\s]+:(?:\s|$))[^\s""',]+)")]
    private static partial Regex FirstValue();

    private const string SecretFlag = @"[\w-]*(?:token|passw|secret|credential|auth(?!or|en)|[-_]key|apikey)[\w-]*";
}
