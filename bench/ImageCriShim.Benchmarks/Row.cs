namespace ImageCriShim.Benchmarks;

/// <summary>One figure that is compared.</summary>
/// <param name="Unit">Of what is measured; a ratio has none.</param>
/// <param name="IsRatio">To the direct way, in the same round.</param>
internal sealed record Row(string Name, string Unit, bool IsRatio, Promise? Promise = null)
{
    internal static readonly Row OneStream = new("forwarded call, p50, 1 stream", "µs", IsRatio: true, new(1.25));
    internal static readonly Row SixteenStreams = new("forwarded call, p50, 16 streams", "µs", IsRatio: true, new(1.25));
    internal static readonly Row CallsPerSecond = new("forwarded calls per second, 64 streams", "", IsRatio: true, new(0.9, AtLeast: true));
    internal static readonly Row Large = new("200 KB answer, p50", "µs", IsRatio: true, new(1.45));
    internal static readonly Row Streamed = new("10,000 streamed messages, p50", "µs", IsRatio: true, new(1.1));
    internal static readonly Row StatusAsGiven = new("ImageStatus, known as given, p50", "µs", IsRatio: true, new(1.35));
    internal static readonly Row StatusAsCandidate = new("ImageStatus, known as a candidate, p50", "µs", IsRatio: true, new(2.0));
    internal static readonly Row Pull = new("PullImage, present, decision cached, p50", "µs", IsRatio: true);
    internal static readonly Row ForwardedCpu = new("CPU per 100,000 calls, 1 stream: forwarded", "s", IsRatio: false, new(3));
    internal static readonly Row StatusCpu = new("CPU per 100,000 calls, 1 stream: ImageStatus", "s", IsRatio: false, new(5));
    internal static readonly Row Idle = new("resident memory, idle", "MB", IsRatio: false, new(9));
    internal static readonly Row Loaded = new("resident memory, 250,000 calls, 300 TLS probes", "MB", IsRatio: false, new(20));
    internal static readonly Row Listening = new("listening after exec", "ms", IsRatio: false, new(10));
    internal static readonly Row FirstResolve = new("PullImage, first, 3 registries 20 ms away", "ms", IsRatio: true, new(1.3));
    internal static readonly Row ColdResolve = new("PullImage, the same, first call of a shim", "ms", IsRatio: true);
    internal static readonly Row NextResolve = new("PullImage, next names, connections warm, p50", "ms", IsRatio: true, new(1.1));
    internal static readonly Row FirstDead = new(
        "PullImage, first, 2 of 3 registries dead", "ms", IsRatio: false, new(Probing.ProbeTimeout + 1.3 * Probing.Distance));
    internal static readonly Row NextDead = new("PullImage, next names, 2 dead: more than without, p50", "ms", IsRatio: false, new(5));
    internal static readonly Row Crowd = new("100 pulls of one name at once: requests per registry", "", IsRatio: false, new(1));
    internal static readonly Row ManySockets = new("5,000 names over 3 registries: their sockets left over", "", IsRatio: false, new(0));
    internal static readonly Row ManySpares = new("5,000 names over 3 registries: more spares to the runtime", "", IsRatio: false);
    internal static readonly Row ManyMemory = new("5,000 more names over 3 registries: memory grows by", "MB", IsRatio: false, new(2));

    internal static IReadOnlyList<Row> All { get; } =
    [
        OneStream, SixteenStreams, CallsPerSecond, Large, Streamed, StatusAsGiven, StatusAsCandidate, Pull,
        .. Listing.Sizes.SelectMany(size => new[] { size.Restored, size.Actual }),
        ForwardedCpu, StatusCpu, Idle, Loaded, Listening,
        FirstResolve, ColdResolve, NextResolve, FirstDead, NextDead, Crowd, ManySockets, ManySpares, ManyMemory,
    ];

    internal static Row List(int images, bool restored, Promise? promise = null) =>
        new($"ListImages, {images} images, names {(restored ? "restored" : "as they are")}, p50", "µs", IsRatio: true, promise);
}

/// <summary>What the project promises of a figure.</summary>
/// <param name="Limit">At most this much.</param>
/// <param name="AtLeast">At least this much.</param>
internal sealed record Promise(double Limit, bool AtLeast = false)
{
    // Where even the splice does not reach a figure, this much more than the splice is allowed.
    private const double Tolerance = 0.05;

    internal Verdict Judge(double figure, double? splice)
    {
        if (Holds(figure, Limit))
            return Verdict.Met;
        if (splice is not { } floor || Holds(floor, Limit))
            return Verdict.Missed;
        return Holds(figure, floor * (AtLeast ? 1 - Tolerance : 1 + Tolerance)) ? Verdict.AsTheSplice : Verdict.Missed;
    }

    private bool Holds(double figure, double limit) => AtLeast ? figure >= limit : figure <= limit;
}

internal enum Verdict
{
    Met,

    /// <summary>Even the splice does not reach it, and we are as good as the splice.</summary>
    AsTheSplice,

    Missed,
}
