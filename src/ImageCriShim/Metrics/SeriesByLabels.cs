using System.Collections.Concurrent;

namespace ImageCriShim.Metrics;

/// <summary>The numbers of one instrument, by the values of its labels. Thread-safe.</summary>
internal sealed class SeriesByLabels<T>(string[] labels)
    where T : class, new()
{
    // Registries and results; reloads may bring other registries. What comes beyond is counted together.
    internal const int MaxSeries = 1024;

    private readonly ConcurrentDictionary<string, Series> _series = [];

    /// <param name="values">One for each label, in their order.</param>
    internal T Of(params ReadOnlySpan<string> values)
    {
        if (_series.TryGetValue(KeyOf(values), out var known))
            return known.Value;
        if (_series.Count >= MaxSeries)
            values = labels.Select(_ => "other").ToArray();
        return _series.GetOrAdd(KeyOf(values), static (_, formatted) => new Series(formatted, new T()), PrometheusText.FormatLabels(labels, values)).Value;
    }

    /// <summary>By their labels as they are scraped, in an order that stays.</summary>
    internal IEnumerable<KeyValuePair<string, T>> All =>
        _series.Values.OrderBy(one => one.Labels, StringComparer.Ordinal).Select(one => KeyValuePair.Create(one.Labels, one.Value));

    /// <summary>Most have one label: then nothing is made for finding its number.</summary>
    private static string KeyOf(ReadOnlySpan<string> values) => values.Length == 1 ? values[0] : string.Join('\0', values);

    private sealed record Series(string Labels, T Value);
}
