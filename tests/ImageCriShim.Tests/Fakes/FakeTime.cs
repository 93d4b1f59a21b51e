namespace ImageCriShim.Tests.Fakes;

/// <summary>A clock that a test advances. Timers fire in order while it does.</summary>
internal sealed class FakeTime : TimeProvider
{
    private readonly Lock gate = new();
    private readonly List<FakeTimer> timers = [];
    private long now; // ticks since the start
    private TimeSpan offset; // of the wall clock

    /// <summary>How many timers wait for their time.</summary>
    public int Waiting
    {
        get
        {
            lock (gate)
                return timers.Count(timer => timer.Due != long.MaxValue);
        }
    }

    /// <summary>How many timers fire exactly then: those of that length that were set at this moment.</summary>
    public int DueIn(TimeSpan time)
    {
        lock (gate)
            return timers.Count(timer => timer.Due == now + time.Ticks);
    }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddTicks(GetTimestamp()) + offset;

    public override long GetTimestamp() => Interlocked.Read(ref now);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new FakeTimer(this, () => callback(state));
        timer.Change(dueTime, period);
        lock (gate)
            timers.Add(timer);
        return timer;
    }

    /// <summary>Somebody sets the wall clock; no time passes.</summary>
    public void JumpClock(TimeSpan by) => offset += by;

    public void Advance(TimeSpan by)
    {
        var end = now + by.Ticks;
        while (NextDue(end) is { } timer)
        {
            Interlocked.Exchange(ref now, Math.Max(now, timer.Due));
            timer.Fire();
        }
        Interlocked.Exchange(ref now, end);
    }

    private FakeTimer? NextDue(long end)
    {
        lock (gate)
            return timers.Where(t => t.Due <= end).MinBy(t => t.Due);
    }

    private sealed class FakeTimer(FakeTime time, Action callback) : ITimer
    {
        private TimeSpan period;

        public long Due { get; private set; } = long.MaxValue;

        public bool Change(TimeSpan dueTime, TimeSpan newPeriod)
        {
            Due = dueTime == Timeout.InfiniteTimeSpan ? long.MaxValue : time.GetTimestamp() + dueTime.Ticks;
            period = newPeriod;
            return true;
        }

        public void Fire()
        {
            Due = period == Timeout.InfiniteTimeSpan || period == TimeSpan.Zero ? long.MaxValue : Due + period.Ticks;
            callback();
        }

        public void Dispose()
        {
            lock (time.gate)
                time.timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
