using System.Text;

namespace ImageCriShim.Benchmarks;

/// <summary>The figures for people.</summary>
internal static class Table
{
    private const string Legend = """

        Ratios to a caller directly on the runtime, taken within each round; medians (least..most) over all rounds.
        "as splice": even two threads that pass bytes on blindly do not reach the promise here, and the shim is within 5 % of them.

        """;

    internal static string Format(Figures figures)
    {
        var rows = new List<string[]> { (string[])["", .. figures.Ways.Select(way => way.Name), "promise"] };
        foreach (var row in Row.All.Where(row => figures.Ways.Any(way => figures.Measured(row, way).Count > 0)))
            rows.Add([row.Name, .. figures.Ways.Select(way => Cell(figures, row, way)), PromiseOf(row)]);
        var widths = Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length)).ToArray();
        var text = new StringBuilder();
        foreach (var row in rows)
            text.AppendLine(string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd());
        return text.Append(Legend).ToString();
    }

    private static string Cell(Figures figures, Row row, Way way)
    {
        if (figures.Find(row, way) is not { } spread)
            return "";
        if (way.IsDirect)
            return $"{Number(spread.Median)} {row.Unit}".TrimEnd();
        var verdict = figures.Judge(row, way) switch
        {
            Verdict.Met => " met",
            Verdict.AsTheSplice => " as splice",
            Verdict.Missed => " MISSED",
            _ => "",
        };
        return $"{Number(spread.Median)} ({Number(spread.Least)}..{Number(spread.Most)}){verdict}";
    }

    private static string PromiseOf(Row row) => row.Promise switch
    {
        null => "",
        var promise => $"{promise.Limit} {(row.IsRatio ? "" : row.Unit)}".TrimEnd(),
    };

    private static string Number(double number) => number switch
    {
        >= 1000 => $"{number:N0}",
        >= 10 => $"{number:F1}",
        _ => $"{number:F2}",
    };
}
