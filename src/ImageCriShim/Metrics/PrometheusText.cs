using System.Globalization;
using System.Text;

namespace ImageCriShim.Metrics;

/// <summary>Prometheus' text format, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats).</summary>
internal sealed class PrometheusText
{
    internal const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly StringBuilder _text = new();

    internal PrometheusText Add(Instrument instrument)
    {
        _text.Append("# HELP ").Append(instrument.Name).Append(' ').Append(instrument.Help).Append('\n');
        _text.Append("# TYPE ").Append(instrument.Name).Append(' ').Append(instrument.Type).Append('\n');
        instrument.Write(this);
        return this;
    }

    /// <param name="labels">As <see cref="FormatLabels"/> writes them.</param>
    internal void Line(string name, string labels, double value) =>
        _text.Append(name).Append(labels).Append(' ').Append(value.ToString(CultureInfo.InvariantCulture)).Append('\n');

    public override string ToString() => _text.ToString();

    /// <returns>In braces; empty where there are none.</returns>
    internal static string FormatLabels(IReadOnlyList<string> names, params ReadOnlySpan<string> values)
    {
        if (names.Count == 0)
            return "";
        var text = new StringBuilder();
        for (var i = 0; i < names.Count; i++)
            Append(text.Append(i == 0 ? '{' : ','), names[i], values[i]);
        return text.Append('}').ToString();
    }

    /// <summary>One label more.</summary>
    internal static string With(string labels, string name, string value)
    {
        var text = labels.Length == 0 ? new StringBuilder("{") : new StringBuilder(labels, 0, labels.Length - 1, labels.Length + 16).Append(',');
        Append(text, name, value);
        return text.Append('}').ToString();
    }

    private static void Append(StringBuilder text, string name, string value)
    {
        text.Append(name).Append("=\"");
        foreach (var c in PrintableText.Of(value))
        {
            _ = c switch
            {
                '\\' => text.Append(@"\\"),
                '"' => text.Append("\\\""),
                _ => text.Append(c),
            };
        }

        text.Append('"');
    }
}
