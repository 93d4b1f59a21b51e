using ImageCriShim.Cri;

namespace ImageCriShim.Benchmarks;

/// <summary>
/// ListImages of containerds with many images, every one of which came by another name than was asked for. The shim has a record of none:
/// it takes them into a new one, as on a node where it is installed.
/// </summary>
internal sealed class Listing(Scene scene, Figures figures)
{
    private const string Path = "/runtime.v1.ImageService/ListImages";

    private readonly Dictionary<int, string> _containerds = [];

    /// <summary>How many images, and the rows for them: with their names restored, and not.</summary>
    internal static readonly IReadOnlyList<(int Images, Row Restored, Row Actual)> Sizes =
    [
        (10, Row.List(10, restored: true, new Promise(1.5)), Row.List(10, restored: false)),
        (100, Row.List(100, restored: true, new Promise(1.5)), Row.List(100, restored: false)),
        (1000, Row.List(1000, restored: true, new Promise(2.0)), Row.List(1000, restored: false)),
    ];

    internal async Task Measure(Way way, CancellationToken cancellation)
    {
        foreach (var (images, restored, actual) in Sizes)
        {
            if (!_containerds.TryGetValue(images, out var containerd))
            {
                _containerds.Add(images, containerd = await scene.Lab.StartWithImages(images));
                await WaitForAll(containerd, images, cancellation);
            }

            await Measure(way, containerd, images, restored, "original", cancellation);
            await Measure(way, containerd, images, actual, "actual", cancellation);
        }
    }

    private async Task Measure(Way way, string containerd, int images, Row row, string names, CancellationToken cancellation)
    {
        if (way.IsDirect)
        {
            await Measure(way, containerd, images, row, cancellation);
            return;
        }

        var (daemon, socket) = scene.StartFresh(way, containerd, $"{scene.PlainSettings}names: {names}\n");
        using (daemon)
        {
            daemon.WaitUntilListening(socket);
            Check(socket, images, way.Shim is not null && names == "original" ? "docker.io/library/listed" : $"{scene.Lab.HubAddress}/library/listed");
            await Measure(way, socket, images, row, cancellation);
        }
    }

    private async Task Measure(Way way, string socket, int images, Row row, CancellationToken cancellation)
    {
        var load = new Load(Path, [], Calls: Math.Clamp(200_000 / images, 300, 4_000), Streams: 1);
        figures.Add(row, way, await load.MeasureMedian(socket, cancellation));
    }

    // Its CRI hears of what was imported by events, and is behind for a moment.
    private static async Task WaitForAll(string containerd, int images, CancellationToken cancellation)
    {
        using var caller = new Caller(containerd);
        while (NamesOf(caller).Count < 2 * images)
            await Task.Delay(TimeSpan.FromMilliseconds(50), cancellation);
    }

    private static List<string> NamesOf(Caller caller) =>
        [.. CriMessages.GetImages(caller.Call(Path, [])[GrpcMessage.PrefixBytes..].Span).SelectMany(image => image.Tags.Concat(image.Digests))];

    // Warms it up as well.
    private static void Check(string socket, int images, string name)
    {
        using var caller = new Caller(socket);
        for (var warm = 0; warm < 50; warm++)
        {
            var names = NamesOf(caller);
            if (names.Count != 2 * images || !names.TrueForAll(shown => shown.StartsWith(name, StringComparison.Ordinal)))
                throw new BenchException($"{socket}: {names.Count} names of {images} images, such as {names.FirstOrDefault()}");
        }
    }
}
