using System.Globalization;

namespace ImageCriShim.Tests.Faults;

/// <summary>A quantity, measured in equal intervals.</summary>
internal sealed class Series(string name)
{
    private const int Columns = 72;
    private const string Bars = "▁▂▃▄▅▆▇█";

    private readonly List<double> _values = [];

    /// <summary>From the first to the last, by the line that fits best (least squares).</summary>
    public double Growth => Slope * (_values.Count - 1);

    /// <summary>How far the values are from that line: their standard deviation.</summary>
    public double Noise
    {
        get
        {
            var (slope, middle, mean) = (Slope, (_values.Count - 1) / 2.0, _values.Average());
            return Math.Sqrt(_values.Select((value, i) => value - mean - slope * (i - middle)).Average(off => off * off));
        }
    }

    private double Slope
    {
        get
        {
            var (middle, mean) = ((_values.Count - 1) / 2.0, _values.Average());
            var spread = _values.Select((_, i) => (i - middle) * (i - middle)).Sum();
            return spread == 0 ? 0 : _values.Select((value, i) => (i - middle) * (value - mean)).Sum() / spread;
        }
    }

    public void Add(double value) => _values.Add(value);

    /// <summary>For a terminal: its course, and in words.</summary>
    public string[] Chart()
    {
        var (least, most) = (_values.Min(), _values.Max());
        var columns = _values.Chunk(Math.Max(1, (_values.Count + Columns - 1) / Columns)).Select(chunk => chunk.Average());
        var bars = columns.Select(value => Bars[most > least ? (int)((value - least) / (most - least) * (Bars.Length - 1)) : 0]);
        return [$"  {name,-12} {string.Concat(bars)}", $"  {"",-12} {this}"];
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{_values[0]:0.0} at first, {_values[^1]:0.0} at last, {_values.Min():0.0} to {_values.Max():0.0}; growth {Growth:0.0}, noise {Noise:0.0}");
}
