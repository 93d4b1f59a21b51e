namespace ImageCriShim.Installation;

/// <summary>A line that both texts have (a blank), only the first (-) or only the second (+).</summary>
internal readonly record struct DiffLine(char Sign, string Text);

/// <summary>The longest common subsequence of two texts' lines, by the table that everybody knows; the texts are configuration files.</summary>
internal static class LineDiff
{
    /// <summary>Of the table: lines that differ in one text times those in the other. Beyond it all of them are one change.</summary>
    internal const int MaxCells = 4 * 1024 * 1024;

    public static IReadOnlyList<DiffLine> Of(ReadOnlySpan<string> before, ReadOnlySpan<string> after)
    {
        // Both ends are mostly the same, and need no table, which grows with the square.
        var head = before.CommonPrefixLength(after);
        var tail = 0;
        while (tail < Math.Min(before.Length, after.Length) - head && before[^(tail + 1)] == after[^(tail + 1)])
            tail++;
        return
        [
            .. before[..head].ToArray().Select(Same),
            .. OfMiddle(before[head..^tail], after[head..^tail]),
            .. before[^tail..].ToArray().Select(Same),
        ];
    }

    private static List<DiffLine> OfMiddle(ReadOnlySpan<string> before, ReadOnlySpan<string> after)
    {
        if ((long)before.Length * after.Length > MaxCells)
            return [.. before.ToArray().Select(line => new DiffLine('-', line)), .. after.ToArray().Select(line => new DiffLine('+', line))];
        var lengths = Lengths(before, after);
        var lines = new List<DiffLine>();
        var (i, j) = (0, 0);
        while (i < before.Length || j < after.Length)
        {
            if (i < before.Length && j < after.Length && before[i] == after[j])
            {
                lines.Add(Same(before[i++]));
                j++;
            }
            else if (j == after.Length || (i < before.Length && lengths[i + 1, j] >= lengths[i, j + 1]))
                lines.Add(new('-', before[i++]));
            else
                lines.Add(new('+', after[j++]));
        }

        return lines;
    }

    /// <summary>Of what is left of both from each line on.</summary>
    private static int[,] Lengths(ReadOnlySpan<string> before, ReadOnlySpan<string> after)
    {
        var lengths = new int[before.Length + 1, after.Length + 1];
        for (var i = before.Length - 1; i >= 0; i--)
        {
            for (var j = after.Length - 1; j >= 0; j--)
                lengths[i, j] = before[i] == after[j] ? lengths[i + 1, j + 1] + 1 : Math.Max(lengths[i + 1, j], lengths[i, j + 1]);
        }

        return lengths;
    }

    private static DiffLine Same(string line) => new(' ', line);
}
