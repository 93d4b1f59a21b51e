namespace ImageCriShim.Metrics;

/// <summary>How something is at the moment: asked for when it is scraped.</summary>
internal sealed class Gauge(string name, string help, params string[] labels)
    : Instrument(name, name.EndsWith("_total", StringComparison.Ordinal) ? "counter" : "gauge", help) // the kernel counts as well
{
    private Func<IEnumerable<Sample>>? _source;

    /// <summary>From now on its one number comes from there; it is not shown before.</summary>
    internal void ComesFrom(Func<double> source) => ComesFrom(() => [new Sample(source())]);

    /// <summary>From now on its numbers come from there.</summary>
    internal void ComesFrom(Func<IEnumerable<Sample>> source) => Volatile.Write(ref _source, source);

    internal override void Write(PrometheusText text)
    {
        foreach (var sample in Volatile.Read(ref _source)?.Invoke() ?? [])
            text.Line(Name, PrometheusText.FormatLabels(labels, sample.Labels), sample.Value);
    }
}

/// <param name="Value">The number.</param>
/// <param name="Labels">The value of each label of its instrument.</param>
internal sealed record Sample(double Value, params string[] Labels);
