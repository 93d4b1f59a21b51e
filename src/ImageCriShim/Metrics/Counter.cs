namespace ImageCriShim.Metrics;

/// <summary>Counts what happens; only grows while the process lives. Thread-safe.</summary>
internal sealed class Counter(string name, string help, params string[] labels) : Instrument(name, "counter", help)
{
    private readonly SeriesByLabels<Count> _series = new(labels);

    /// <summary>Once more.</summary>
    /// <param name="values">One for each label.</param>
    internal void Add(params ReadOnlySpan<string> values) => _series.Of(values).Add();

    /// <summary>What is shown as 0 before it happens for the first time, so that a rate is seen from its first step.</summary>
    internal Counter From(params ReadOnlySpan<string> values)
    {
        _series.Of(values);
        return this;
    }

    internal long Value(params ReadOnlySpan<string> values) => _series.Of(values).Value;

    internal override void Write(PrometheusText text)
    {
        foreach (var (labels, count) in _series.All)
            text.Line(Name, labels, count.Value);
    }
}

/// <summary>How often something happened. Thread-safe.</summary>
internal sealed class Count
{
    private long _value;

    internal long Value => Volatile.Read(ref _value);

    internal void Add() => Interlocked.Increment(ref _value);
}
