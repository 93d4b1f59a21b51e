using System.Collections.Concurrent;

namespace ImageCriShim.Metrics;

/// <summary>The numbers of one instrument, by the values of its labels. Thread-safe.</summary>
internal sealed class SeriesByLabels<T>(string[] labels)
    where T : class, new()
{
    // Registries and results; reloads may bring other registries. What comes beyond is counted together.
    internal const int MaxSeries = 1024;

    private readonly ConcurrentDictionary<string, T> _series = [];

    /// <param name="values">One for each label, in their order.</param>
    internal T Of(params ReadOnlySpan<string> values)
    {
        var key = PrometheusText.FormatLabels(labels, values);
        if (_series.TryGetValue(key, out var known))
            return known;
        if (_series.Count >= MaxSeries)
            key = PrometheusText.FormatLabels(labels, [.. labels.Select(_ => "other")]);
        return _series.GetOrAdd(key, static _ => new T());
    }

    /// <summary>By their labels as they are scraped, in an order that stays.</summary>
    internal IEnumerable<KeyValuePair<string, T>> All => _series.OrderBy(one => one.Key, StringComparer.Ordinal);
}
