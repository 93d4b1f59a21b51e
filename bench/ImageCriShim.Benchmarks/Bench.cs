using System.Runtime.InteropServices;

namespace ImageCriShim.Benchmarks;

/// <summary>
/// Everything is measured in each round, every way in turn and each time in another order, so that what else the machine does falls
/// on all of them; and ratios are taken within a round.
/// </summary>
internal static class Bench
{
    internal static async Task<int> Run(string[] args)
    {
        var (root, directory) = (Environment.GetEnvironmentVariable("IMAGE_CRI_SHIM_ROOT"), Environment.GetEnvironmentVariable("IMAGE_CRI_SHIM_BENCH"));
        if (BenchOptions.TryParse(args) is not { } options || root is null || directory is null)
        {
            Say(BenchOptions.Usage);
            return 2;
        }

        using var stop = new CancellationTokenSource();
        using var interrupted = StopOn(PosixSignal.SIGINT, stop);
        using var terminated = StopOn(PosixSignal.SIGTERM, stop);
        try
        {
            Write(options, await Measure(options, new Lab(root, directory, stop.Token), stop.Token));
            return 0;
        }
        catch (OperationCanceledException)
        {
            return 130; // as a shell says of what Ctrl-C has ended
        }
        catch (BenchException e)
        {
            Say($"error: {e.Message}");
            return 1;
        }
    }

    private static async Task<Figures> Measure(BenchOptions options, Lab lab, CancellationToken cancellation)
    {
        using var scene = new Scene(lab);
        Say("starting containerd, registries and what is compared");
        await scene.Start();
        var figures = new Figures(scene.Ways);
        foreach (var way in scene.Ways)
        {
            Measurement.Check(scene, way);
            await Load.Version(20_000, streams: 16).MeasureCallsPerSecond(way.Containerd, cancellation); // warm
        }

        var ways = scene.Ways.ToArray();
        var measurements = Measurement.All(scene, figures).Where(measurement => measurement.Name.Contains(options.Only, StringComparison.OrdinalIgnoreCase)).ToList();
        for (var round = 1; round <= options.Rounds; round++)
        {
            foreach (var measurement in measurements)
            {
                Say($"round {round} of {options.Rounds}: {measurement.Name}");
                Random.Shared.Shuffle(ways);
                foreach (var way in ways)
                    await measurement.On(way, cancellation);
            }
        }

        return figures;
    }

    private static void Write(BenchOptions options, Figures figures)
    {
        if (options.Json != "-")
            Console.Write(Table.Format(figures));
        if (options.Json is "-")
            Console.WriteLine(JsonReport.Format(figures));
        else if (options.Json is not null)
            File.WriteAllText(options.Json, JsonReport.Format(figures));
    }

    private static PosixSignalRegistration StopOn(PosixSignal signal, CancellationTokenSource stop) =>
        PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true; // what was started is ended first
            stop.Cancel();
        });

    private static void Say(string text) => Console.Error.WriteLine(text);
}
