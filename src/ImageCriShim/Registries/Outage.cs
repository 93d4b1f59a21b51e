namespace ImageCriShim.Registries;

/// <summary>The time that one registry is set aside. Changed under the lock of <see cref="Outages"/>.</summary>
/// <param name="question">The one that failed; the background puts it again.</param>
/// <param name="reason">Why it failed.</param>
/// <param name="time">The clock.</param>
internal sealed class Outage(ProbeQuestion question, string reason, TimeProvider time)
{
    private readonly DateTimeOffset _since = time.GetUtcNow();
    private TimeSpan _interval = Outages.FirstInterval;

    public long At { get; } = time.GetTimestamp(); // a node's wall clock jumps
    public ProbeQuestion Question { get; set; } = question;
    public string Reason { get; private set; } = reason;
    public ITimer? Timer { get; set; }
    public SetAsideRegistry View => new(Question.Registry, _since, Reason);
    public ProbeResult.Unreachable Result => new(Reason) { SetAsideFor = time.GetElapsedTime(At) };

    public void TryLater(string reason)
    {
        Reason = reason;
        _interval = _interval * 2 < Outages.LongestInterval ? _interval * 2 : Outages.LongestInterval;
        Timer?.Change(_interval, Timeout.InfiniteTimeSpan);
    }
}

/// <summary>A registry that is not waited for.</summary>
/// <param name="Reason">Why it cannot be reached, as of the last attempt; for people.</param>
internal sealed record SetAsideRegistry(Registry Registry, DateTimeOffset Since, string Reason);
