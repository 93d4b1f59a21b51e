using ImageCriShim.Concurrency;
using ImageCriShim.Configuration;

namespace ImageCriShim.Cri;

/// <summary>
/// Says in the log how well the cache does, every <c>cache.statsLogInterval</c> if there were pulls, unless <c>cache.disableStats</c>. The Go shim's
/// operators look for it.
/// </summary>
internal sealed class CacheStats : IDisposable
{
    private readonly Func<CallEnvironment> _current;
    private readonly ITimer _timer;
    private long _hits;
    private long _misses;

    /// <param name="current">Whose settings are in force.</param>
    /// <param name="first">Those that are about to be.</param>
    /// <param name="time">The clock.</param>
    internal CacheStats(Func<CallEnvironment> current, ShimSettings first, TimeProvider time)
    {
        _current = current;
        _timer = Background.CreateTimer("the statistics of the cache", time, Tick, IntervalOf(first), Timeout.InfiniteTimeSpan);
    }

    public void Dispose() => _timer.Dispose();

    private static TimeSpan IntervalOf(ShimSettings settings) => settings.Cache.StatsLogInterval ?? new CacheSettings().StatsLogInterval!.Value;

    private void Tick()
    {
        var environment = _current();
        try
        {
            Say(environment);
        }
        finally
        {
            _timer.Change(IntervalOf(environment.Settings), Timeout.InfiniteTimeSpan);
        }
    }

    private void Say(CallEnvironment environment)
    {
        var lookups = environment.Metrics.CacheLookups;
        var (hits, misses) = (lookups.Value("hit"), lookups.Value("miss"));
        var (newHits, newMisses) = (hits - _hits, misses - _misses);
        (_hits, _misses) = (hits, misses);
        if (environment.Settings.Cache.StatsLogInterval is not null && newHits + newMisses > 0)
            Log.CacheStats(environment.Log, environment.Resolver.KnownImages, newHits + newMisses, newHits);
    }
}
