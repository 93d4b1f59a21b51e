namespace ImageCriShim.Benchmarks;

/// <summary>What was measured, by row, way and round.</summary>
internal sealed class Figures(IReadOnlyList<Way> ways)
{
    private readonly Dictionary<(Row Row, string Way), List<double>> _measured = [];

    internal IReadOnlyList<Way> Ways { get; } = ways;

    internal void Add(Row row, Way way, double figure)
    {
        if (!_measured.TryGetValue((row, way.Name), out var figures))
            _measured.Add((row, way.Name), figures = []);
        figures.Add(figure);
    }

    /// <summary>As measured, a figure for each round; empty where the row does not apply.</summary>
    internal IReadOnlyList<double> Measured(Row row, Way way) => _measured.GetValueOrDefault((row, way.Name), []);

    /// <summary>What the table shows: ratios within each round, or as measured.</summary>
    internal Spread? Find(Row row, Way way)
    {
        var measured = Measured(row, way);
        if (measured.Count == 0)
            return null;
        var direct = Measured(row, Ways.Single(w => w.IsDirect));
        return Spread.Of(row.IsRatio && !way.IsDirect ? measured.Zip(direct, static (figure, one) => figure / one) : measured);
    }

    /// <returns>Null where nothing is promised or measured.</returns>
    internal Verdict? Judge(Row row, Way way)
    {
        if (row.Promise is not { } promise || way.Shim is null || Find(row, way) is not { } spread)
            return null;
        return promise.Judge(spread.Median, Find(row, Ways.Single(w => w.Name == Way.Splice))?.Median);
    }
}

/// <summary>Of one figure over all rounds.</summary>
internal readonly record struct Spread(double Median, double Least, double Most)
{
    internal static Spread Of(IEnumerable<double> figures)
    {
        var sorted = figures.Order().ToArray();
        var (low, high) = (sorted[(sorted.Length - 1) / 2], sorted[sorted.Length / 2]);
        return new Spread((low + high) / 2, sorted[0], sorted[^1]);
    }
}
