using System.Globalization;

namespace ImageCriShim.Registries;

/// <summary>Durations as Go's time.ParseDuration reads them: <c>1h30m</c>, <c>300ms</c>, <c>1.5s</c>, <c>0</c>.</summary>
internal static class GoDuration
{
    public const string Allowed = "a number with a unit (ms, s, m, h), such as 300ms, 15s or 1h30m";

    // Years are far beyond any use; Go's own limit is 292 of them, and timers take 49 days.
    private static readonly TimeSpan s_max = TimeSpan.FromDays(40);

    /// <summary>In order of the longest first, so that <c>ms</c> is not read as <c>m</c>.</summary>
    private static readonly (string Name, double Ticks)[] s_units =
    [
        ("ns", 0.01), ("us", TimeSpan.TicksPerMicrosecond), ("µs", TimeSpan.TicksPerMicrosecond), ("μs", TimeSpan.TicksPerMicrosecond),
        ("ms", TimeSpan.TicksPerMillisecond), ("s", TimeSpan.TicksPerSecond), ("m", TimeSpan.TicksPerMinute), ("h", TimeSpan.TicksPerHour),
    ];

    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        var negative = text.StartsWith('-');
        var rest = text.AsSpan(negative || text.StartsWith('+') ? 1 : 0);
        if (rest is "0")
            return true;
        var ticks = 0.0;
        do
        {
            if (!TryReadPart(ref rest, out var part))
                return false;
            ticks += part;
        }
        while (rest.Length > 0);

        if (ticks > s_max.Ticks)
            return false;
        duration = TimeSpan.FromTicks((long)Math.Round(negative ? -ticks : ticks));
        return true;
    }

    /// <summary>As somebody would write it: <c>15m</c>, not Go's <c>15m0s</c>.</summary>
    public static string Format(TimeSpan duration)
    {
        (long Count, string Unit)[] parts =
            [((long)duration.TotalHours, "h"), (duration.Minutes, "m"), (duration.Seconds, "s"), (duration.Milliseconds, "ms")];
        var text = string.Concat(parts.Where(part => part.Count != 0).Select(part => $"{part.Count}{part.Unit}"));
        return text.Length > 0 ? text : duration == TimeSpan.Zero ? "0" : $"{duration.Ticks / (double)TimeSpan.TicksPerMicrosecond}us";
    }

    private static bool TryReadPart(ref ReadOnlySpan<char> rest, out double ticks)
    {
        ticks = 0;
        var digits = 0;
        while (digits < rest.Length && (char.IsAsciiDigit(rest[digits]) || rest[digits] == '.'))
            digits++;
        if (digits == 0 || digits == rest.Length || !double.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
            return false;
        rest = rest[digits..];
        foreach (var (name, size) in s_units)
        {
            if (!rest.StartsWith(name, StringComparison.Ordinal))
                continue;
            rest = rest[name.Length..];
            ticks = number * size;
            return true;
        }
        return false;
    }
}
