using System.Globalization;

namespace ImageCriShim.Metrics;

/// <summary>How long something takes, in seconds: how often no longer than each of the bounds, and all of it together. Thread-safe.</summary>
internal sealed class Histogram(string name, string help, double[] bounds, params string[] labels) : Instrument(name, "histogram", help)
{
    private readonly SeriesByLabels<Durations> _series = new(labels);

    /// <param name="duration">Below zero is taken as zero.</param>
    /// <param name="values">One for each label.</param>
    internal void Add(TimeSpan duration, params ReadOnlySpan<string> values) => _series.Of(values).Add(duration, bounds);

    internal override void Write(PrometheusText text)
    {
        foreach (var (labels, durations) in _series.All)
        {
            var (counts, sum) = durations.Read(bounds.Length + 1);
            var total = 0L;
            for (var i = 0; i < counts.Length; i++)
            {
                total += counts[i];
                var bound = i < bounds.Length ? bounds[i].ToString(CultureInfo.InvariantCulture) : "+Inf";
                text.Line($"{Name}_bucket", PrometheusText.With(labels, "le", bound), total);
            }

            text.Line($"{Name}_sum", labels, sum.TotalSeconds);
            text.Line($"{Name}_count", labels, total);
        }
    }
}

/// <summary>Durations, counted by the bound that they do not exceed. Thread-safe.</summary>
internal sealed class Durations
{
    private readonly Lock _gate = new();
    private long[] _counts = [];
    private TimeSpan _sum;

    internal void Add(TimeSpan duration, double[] bounds)
    {
        duration = duration < TimeSpan.Zero ? TimeSpan.Zero : duration;
        var place = 0;
        while (place < bounds.Length && duration.TotalSeconds > bounds[place])
            place++;
        lock (_gate)
        {
            if (_counts.Length == 0)
                _counts = new long[bounds.Length + 1];
            _counts[place]++;
            _sum += duration;
        }
    }

    /// <summary>Which belong together.</summary>
    internal (long[] Counts, TimeSpan Sum) Read(int length)
    {
        lock (_gate)
            return (_counts.Length == 0 ? new long[length] : [.. _counts], _sum);
    }
}
