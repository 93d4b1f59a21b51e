namespace ImageCriShim.Cri;

/// <summary>The last pulls and how they came out, for <c>image-cri-shim status</c>. One object for the process. Thread-safe.</summary>
internal sealed class RecentPulls
{
    /// <summary>What a node pulls in a rollout; all of them are in the log.</summary>
    internal const int MaxPulls = 64;

    private readonly Queue<RecentPull> _pulls = [];
    private readonly Lock _gate = new();

    /// <summary>The latest first.</summary>
    internal IReadOnlyList<RecentPull> All
    {
        get
        {
            lock (_gate)
                return [.. _pulls.Reverse()];
        }
    }

    internal void Add(RecentPull pull)
    {
        lock (_gate)
        {
            if (_pulls.Count == MaxPulls)
                _pulls.Dequeue();
            _pulls.Enqueue(pull with { Image = PrintableText.Of(pull.Image), Reason = PrintableText.Of(pull.Reason) });
        }
    }
}

/// <summary>How a pull came out.</summary>
/// <param name="At">When it was answered.</param>
/// <param name="Image">As the caller gave it.</param>
/// <param name="Result"><c>pulled</c>, <c>local</c> (answered with the image on the node), <c>blocked</c>, <c>failed</c> or <c>late</c>.</param>
/// <param name="Actual">The name that it came by; null where it did not come.</param>
/// <param name="Registry">Where it came from.</param>
/// <param name="Reason">Why from there, or why not at all; for people.</param>
/// <param name="Elapsed">From the call to its answer.</param>
internal sealed record RecentPull(DateTimeOffset At, string Image, string Result, string? Actual, string? Registry, string Reason, TimeSpan Elapsed);
