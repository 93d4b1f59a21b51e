using System.Text;

namespace ImageCriShim.Commands;

/// <summary>Columns for people.</summary>
internal static class TextTable
{
    private const string Gap = "  ";

    /// <param name="rows">The first one is the head.</param>
    public static string Format(IReadOnlyList<string[]> rows)
    {
        rows = [.. rows.Select(row => row.Select(cell => PrintableText.Of(cell)).ToArray())];
        var widths = Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length)).ToArray();
        var text = new StringBuilder();
        foreach (var row in rows)
            text.Append(string.Join(Gap, row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd()).Append('\n');
        return text.ToString();
    }
}
