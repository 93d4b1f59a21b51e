using System.Globalization;
using System.Text.RegularExpressions;
using ImageCriShim.Cri;

namespace ImageCriShim.Benchmarks;

/// <summary>One kind of unary or streaming call, made by h2load as fast as it is answered.</summary>
/// <param name="Path"><c>/service/method</c>.</param>
/// <param name="Message">The request.</param>
internal sealed partial record Load(string Path, byte[] Message, int Calls, int Streams)
{
    internal static Load Version(int calls, int streams) => new("/runtime.v1.RuntimeService/Version", [], calls, streams);

    internal static Load OfImage(string method, string image, int calls) =>
        new($"/runtime.v1.ImageService/{method}", CriMessages.WithImage([], image), calls, Streams: 1);

    /// <returns>Microseconds from a call's request to the end of its answer, half of the calls took less.</returns>
    internal async Task<double> MeasureMedian(string socket, CancellationToken cancellation)
    {
        var log = System.IO.Path.GetTempFileName();
        try
        {
            await Run(socket, ["--log-file", log], cancellation);
            var times = File.ReadLines(log).Select(line => int.Parse(line.Split('\t')[2], CultureInfo.InvariantCulture)).Order().ToArray();
            return MedianOfWholes(times);
        }
        finally
        {
            File.Delete(log);
        }
    }

    internal async Task<double> MeasureCallsPerSecond(string socket, CancellationToken cancellation)
    {
        var rate = RateLine().Match(await Run(socket, [], cancellation)).Groups[1].Value;
        return double.Parse(rate, CultureInfo.InvariantCulture);
    }

    private async Task<string> Run(string socket, IEnumerable<string> options, CancellationToken cancellation)
    {
        var body = System.IO.Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(body, GrpcMessage.Frame(Message), cancellation);
            var output = await Command.Run(
                "h2load",
                [
                    "-n", $"{Calls}", "-c", "1", "-m", $"{Streams}", "-t", "1", "-d", body, .. options,
                    "-H", "content-type: application/grpc", "-H", "te: trailers", "-H", ":authority: localhost",
                    "--base-uri", $"unix:{socket}", $"http://localhost{Path}",
                ],
                cancellation);
            return output.Contains($" {Calls} succeeded,", StringComparison.Ordinal)
                ? output
                : throw new BenchException($"{Path} on {socket}: {output}");
        }
        finally
        {
            File.Delete(body);
        }
    }

    // h2load cuts to whole microseconds, and a third of all calls may share one: within it they are taken as evenly spread.
    private static double MedianOfWholes(int[] sorted)
    {
        var median = sorted[sorted.Length / 2];
        var below = sorted.Count(time => time < median);
        var equal = sorted.Count(time => time == median);
        return median + (sorted.Length / 2.0 - below) / equal;
    }

    [GeneratedRegex(@"finished in [^,]*, ([0-9.]+) req/s")]
    private static partial Regex RateLine();
}
