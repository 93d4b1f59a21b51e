namespace ImageCriShim.Metrics;

/// <summary>One thing that is measured, as Prometheus knows it: a family of numbers with the same name, one for each value of its labels.</summary>
/// <param name="name">Without the prefix that all have in common; ends with its unit, counters with <c>_total</c>.</param>
/// <param name="type"><c>counter</c>, <c>gauge</c> or <c>histogram</c>.</param>
/// <param name="help">A sentence for people.</param>
internal abstract class Instrument(string name, string type, string help)
{
    /// <summary>As it is scraped.</summary>
    internal string Name { get; } = name.StartsWith("process_", StringComparison.Ordinal) ? name : $"image_cri_shim_{name}";

    internal string Type { get; } = type;

    internal string Help { get; } = help;

    /// <summary>Appends each number that there is by now.</summary>
    internal abstract void Write(PrometheusText text);
}
