using ImageCriShim.Cri;

namespace ImageCriShim.Benchmarks;

/// <summary>A shim from its start to its 250,000th call: when it listens, and how much memory it takes.</summary>
internal sealed class FreshShim(Scene scene, Figures figures)
{
    private const int Calls = 250_000;
    private const int Probes = 300;

    private static readonly TimeSpan s_settled = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan s_cold = TimeSpan.FromSeconds(16); // it gives back every 15 s what it does not use (ColdPages)

    internal async Task Measure(Way way, CancellationToken cancellation)
    {
        if (way.Shim is null)
            return;
        await MeasureStart(way, cancellation);
        await MeasureLoaded(way, cancellation);
    }

    private async Task MeasureStart(Way way, CancellationToken cancellation)
    {
        var (shim, socket) = scene.StartFreshShim(way, scene.PlainSettings);
        using (shim)
        {
            figures.Add(Row.Listening, way, shim.WaitUntilListening(socket).TotalMilliseconds);
            await Task.Delay(s_settled, cancellation);
            figures.Add(Row.Idle, way, shim.ResidentMegabytes);
        }
    }

    private async Task MeasureLoaded(Way way, CancellationToken cancellation)
    {
        var (shim, socket) = scene.StartFreshShim(way, scene.SecureSettings);
        using (shim)
        {
            shim.WaitUntilListening(socket);
            await Load.Version(Calls, streams: 64).MeasureCallsPerSecond(socket, cancellation);
            ProbeAll(socket);
            await Task.Delay(s_cold, cancellation);
            figures.Add(Row.Loaded, way, shim.ResidentMegabytes);
        }
    }

    // Each is of an image that the registry does not have, and is then pulled as given, which the answering runtime allows.
    private static void ProbeAll(string socket)
    {
        using var caller = new Caller(socket);
        for (var image = 0; image < Probes; image++)
            caller.Call("/runtime.v1.ImageService/PullImage", CriMessages.WithImage([], $"missing-{image}:1"));
    }
}
