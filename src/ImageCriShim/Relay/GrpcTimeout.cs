using System.Globalization;

namespace ImageCriShim.Relay;

/// <summary>The <c>grpc-timeout</c> header: up to eight digits and a unit (gRPC over HTTP/2).</summary>
internal static class GrpcTimeout
{
    private const int MaxDigits = 8;

    /// <returns>Null where it is malformed: whoever sent it has no deadline then.</returns>
    internal static TimeSpan? Parse(string text)
    {
        if (text.Length is < 2 or > MaxDigits + 1 || !long.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var value))
            return null;
        return text[^1] switch
        {
            'H' => TimeSpan.FromHours(value),
            'M' => TimeSpan.FromMinutes(value),
            'S' => TimeSpan.FromSeconds(value),
            'm' => TimeSpan.FromMilliseconds(value),
            'u' => TimeSpan.FromMicroseconds(value),
            'n' => TimeSpan.FromTicks(value / TimeSpan.NanosecondsPerTick),
            _ => null,
        };
    }

    /// <summary>In milliseconds where they fit, else in seconds; at least one, because 0 is no time at all.</summary>
    internal static string Format(TimeSpan timeout)
    {
        const long most = 99_999_999;
        var milliseconds = Math.Max(1, (long)timeout.TotalMilliseconds);
        return milliseconds <= most
            ? string.Create(CultureInfo.InvariantCulture, $"{milliseconds}m")
            : string.Create(CultureInfo.InvariantCulture, $"{Math.Min(most, milliseconds / 1000)}S");
    }
}
