using ImageCriShim.Cri;

namespace ImageCriShim.Benchmarks;

internal delegate Task Measure(Way way, CancellationToken cancellation);

/// <summary>One thing that is done the same way on every way, once a round.</summary>
internal sealed record Measurement(string Name, Measure On)
{
    internal static IReadOnlyList<Measurement> All(Scene scene, Figures figures)
    {
        var lab = scene.Lab;
        return
        [
            new("forwarded calls, 1 stream", OfCall(figures, Row.OneStream, Load.Version(10_000, streams: 1), Row.ForwardedCpu)),
            new("forwarded calls, 16 streams", OfCall(figures, Row.SixteenStreams, Load.Version(20_000, streams: 16))),
            new("forwarded calls, 64 streams", OfRate(figures, Row.CallsPerSecond, Load.Version(150_000, streams: 64))),
            new("200 KB answers", OfAnswering(figures, Row.Large, new Load(AnsweringRuntime.LargePath, [], Calls: 2_000, Streams: 1))),
            new("streamed messages", OfAnswering(figures, Row.Streamed, new Load(AnsweringRuntime.StreamPath, [], Calls: 100, Streams: 1))),
            new(
                "ImageStatus, known as given",
                OfCall(figures, Row.StatusAsGiven, Load.OfImage("ImageStatus", lab.KnownAsGiven, 8_000), Row.StatusCpu)),
            new("ImageStatus, known as a candidate", OfRenamed(figures, Row.StatusAsCandidate, lab, "ImageStatus", 3_000)),
            new("ListImages", new Listing(scene, figures).Measure),
            new("PullImage", OfRenamed(figures, Row.Pull, lab, "PullImage", 60)),
            new("start and memory", new FreshShim(scene, figures).Measure),
            new("finding images", new Probing(scene, figures).Measure),
        ];
    }

    private static Measure OfCall(Figures figures, Row row, Load load, Row? cpu = null) => async (way, cancellation) =>
    {
        var before = way.Middle?.CpuSeconds;
        figures.Add(row, way, await load.MeasureMedian(way.Containerd, cancellation));
        if (cpu is not null && way.Middle is not null)
            figures.Add(cpu, way, (way.Middle.CpuSeconds - before!.Value) / load.Calls * 100_000);
    };

    private static Measure OfRate(Figures figures, Row row, Load load) => async (way, cancellation) =>
        figures.Add(row, way, await load.MeasureCallsPerSecond(way.Containerd, cancellation));

    private static Measure OfAnswering(Figures figures, Row row, Load load) => async (way, cancellation) =>
        figures.Add(row, way, await load.MeasureMedian(way.Answering, cancellation));

    // Only the shim knows the image by the name in the manifest; everybody else is given the name that the runtime has.
    private static Measure OfRenamed(Figures figures, Row row, Lab lab, string method, int calls) => async (way, cancellation) =>
    {
        var load = Load.OfImage(method, way.Shim is null ? lab.Candidate : Lab.KnownAsCandidate, calls);
        figures.Add(row, way, await load.MeasureMedian(way.Containerd, cancellation));
    };

    /// <summary>That every way gives the right answers; h2load does not look at them. Warms them up as well.</summary>
    internal static void Check(Scene scene, Way way)
    {
        using var containerd = new Caller(way.Containerd);
        using var answering = new Caller(way.Answering);
        var renamed = way.Shim is null ? scene.Lab.Candidate : Lab.KnownAsCandidate;
        Expect(way, containerd.Call("/runtime.v1.RuntimeService/Version", []).Length > GrpcMessage.PrefixBytes);
        for (var warm = 0; warm < 500; warm++)
        {
            Expect(way, HasImage(containerd.Call("/runtime.v1.ImageService/ImageStatus", CriMessages.WithImage([], scene.Lab.KnownAsGiven))));
            Expect(way, HasImage(containerd.Call("/runtime.v1.ImageService/ImageStatus", CriMessages.WithImage([], renamed))));
        }

        containerd.Call("/runtime.v1.ImageService/PullImage", CriMessages.WithImage([], renamed));
        Expect(way, answering.Call(AnsweringRuntime.LargePath, []).Length == GrpcMessage.PrefixBytes + AnsweringRuntime.LargeBytes);
        Expect(way, answering.Call(AnsweringRuntime.StreamPath, []).Length == AnsweringRuntime.StreamedBytes);
    }

    private static bool HasImage(ReadOnlyMemory<byte> answer) => CriMessages.HasImage(answer.Span[GrpcMessage.PrefixBytes..]);

    private static void Expect(Way way, bool holds)
    {
        if (!holds)
            throw new BenchException($"{way.Name}: a wrong answer");
    }
}
