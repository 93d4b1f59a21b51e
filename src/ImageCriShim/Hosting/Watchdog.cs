using System.Globalization;
using ImageCriShim.Concurrency;

namespace ImageCriShim.Hosting;

/// <summary>
/// Lets systemd know that we are alive, for as long as that has been proved: without <c>WATCHDOG=1</c> within WatchdogSec= we are restarted.
/// Its timer needs a thread of the pool, so a pool that has none free keeps silent as well.
/// </summary>
internal sealed class Watchdog : IDisposable
{
    private readonly ITimer _timer;
    private readonly TimeSpan _period;

    /// <param name="limit">Within which systemd wants to hear from us.</param>
    /// <param name="isAlive">Told how long it may take.</param>
    /// <param name="ping">Called for as long as it is.</param>
    internal Watchdog(TimeSpan limit, Func<TimeSpan, bool> isAlive, Action ping, TimeProvider time)
    {
        _period = limit / 2; // as sd_watchdog_enabled(3) recommends
        _timer = Background.CreateTimer("the watchdog", time, () => Look(isAlive, ping));
        Rest();
    }

    /// <summary>What systemd asks for; null where it does not watch this process.</summary>
    internal static TimeSpan? TakeLimit()
    {
        var (limit, process) = (InheritedSocket.TakeVariable("WATCHDOG_USEC"), InheritedSocket.TakeVariable("WATCHDOG_PID"));
        var isOurs = process is null || process == Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        return isOurs && long.TryParse(limit, CultureInfo.InvariantCulture, out var microseconds) && microseconds > 0
            ? TimeSpan.FromMicroseconds(microseconds)
            : null;
    }

    public void Dispose() => _timer.Dispose();

    private void Look(Func<TimeSpan, bool> isAlive, Action ping)
    {
        try
        {
            if (isAlive(_period / 2))
                ping();
        }
        finally
        {
            Rest();
        }
    }

    /// <summary>Counted from when it was done, so that one look never overtakes another.</summary>
    private void Rest() => _timer.Change(_period, Timeout.InfiniteTimeSpan);
}
