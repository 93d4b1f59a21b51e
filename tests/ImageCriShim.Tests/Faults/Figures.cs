using System.Diagnostics;

namespace ImageCriShim.Tests.Faults;

/// <summary>What the callers of one <see cref="Workload"/> saw from the moment a fault was injected.</summary>
/// <param name="Before">Calls that had ended by then.</param>
/// <param name="Since">Calls that ended later.</param>
/// <param name="Injected">When, on the clock of <see cref="Stopwatch"/>.</param>
/// <param name="Healed">When.</param>
internal sealed record Figures(IReadOnlyList<CallSeen> Before, IReadOnlyList<CallSeen> Since, long Injected, long Healed)
{
    public IReadOnlyList<CallSeen> Failures { get; } = [.. Since.Where(call => call.Failed)];

    public TimeSpan Longest => LongestOf(call => call.Method != Workload.PullImage);

    public TimeSpan LongestPull => LongestOf(call => call.Method == Workload.PullImage);

    /// <summary>From healing to the first answer, for the caller and method that had to wait longest for one after which nothing failed.</summary>
    public TimeSpan Recovered => Since.GroupBy(call => (call.Caller, call.Method)).Select(RecoveredOf).Max();

    /// <summary>Of everything but pulls, while the fault lasted, as a multiple of what it was before.</summary>
    public double Slowdown => SlowOf(During) / SlowOf(Before);

    /// <summary>The 99th percentile of everything but pulls, while the fault lasted.</summary>
    public TimeSpan Slow => TimeSpan.FromMilliseconds(SlowOf(During));

    private IEnumerable<CallSeen> During => Since.Where(call => call.Begun < Healed);

    public static Figures Of(IReadOnlyList<CallSeen> seen, long injected, long healed) =>
        new([.. seen.Where(call => call.Ended < injected)], [.. seen.Where(call => call.Ended >= injected)], injected, healed);

    /// <summary>Begun while the fault lasted.</summary>
    public int SucceededMeanwhile(string method) => During.Count(call => call.Method == method && call.Begun > Injected && !call.Failed);

    /// <summary>Every caller and method has had an answer since healing, and the last one was good.</summary>
    public bool IsWell => Since.GroupBy(call => (call.Caller, call.Method)).All(calls => calls.Any(call => call.Begun > Healed) && !calls.Last().Failed);

    /// <summary>Those that are not, with their last words.</summary>
    public string NotWell => string.Join('\n', Since
        .GroupBy(call => (call.Caller, call.Method))
        .Where(calls => calls.Last().Failed || calls.Last().Begun <= Healed)
        .Select(calls => $"{calls.Last()}"));

    private TimeSpan LongestOf(Func<CallSeen, bool> which) => Since.Where(which).Select(call => call.Took).DefaultIfEmpty().Max();

    private TimeSpan RecoveredOf(IEnumerable<CallSeen> calls)
    {
        var lastFailure = calls.Where(call => call.Failed).Select(call => call.Ended).Append(Healed).Max();
        return Stopwatch.GetElapsedTime(Healed, calls.Where(call => !call.Failed && call.Begun >= lastFailure).Select(call => call.Ended).Append(long.MaxValue).Min());
    }

    private static double SlowOf(IEnumerable<CallSeen> calls)
    {
        var sorted = calls.Where(call => call.Method != Workload.PullImage).Select(call => call.Took.TotalMilliseconds).Order().ToArray();
        return sorted.Length == 0 ? double.NaN : sorted[sorted.Length * 99 / 100];
    }
}
