using ImageCriShim.Concurrency;
using Microsoft.Extensions.Logging;

namespace ImageCriShim.Hosting;

/// <summary>
/// How many lines of one kind are written. Callers and registries can bring about as many as they like, and a disk that is full of log takes
/// the node down, too. What is left out is counted and told of. Lines about the process itself (how it starts, with which settings, how it
/// ends) are always written.
/// </summary>
/// <param name="time">Measures the rate.</param>
/// <param name="tell">Is given an event and how many lines of it were left out.</param>
internal sealed class LogRate(TimeProvider time, Action<EventId, long> tell)
{
    /// <summary>At once, of one event. A node that starts all its pods writes two lines for each.</summary>
    internal const int Burst = 500;

    /// <summary>From then on: of one event a gigabyte in ten days, which a journal of the usual size outlives.</summary>
    internal const int PerSecond = 10;

    /// <summary>Between two lines that tell of the same event.</summary>
    internal static readonly TimeSpan TellInterval = TimeSpan.FromSeconds(10);

    private const int FirstOfHosting = 1200;
    private const int LastOfHosting = 1299;

    private readonly Dictionary<int, Bucket> _buckets = []; // one for each event that there is
    private readonly Lock _gate = new();

    /// <summary>Whether the line may be written; otherwise it is counted.</summary>
    internal bool Passes(EventId id)
    {
        if (id.Id is >= FirstOfHosting and <= LastOfHosting)
            return true;
        lock (_gate)
        {
            if (!_buckets.TryGetValue(id.Id, out var bucket))
                _buckets.Add(id.Id, bucket = new Bucket(time.GetTimestamp()));
            if (bucket.TryTake(time))
                return true;
            if (bucket.LeftOut++ == 0)
                bucket.Timer = Background.CreateTimer("the count of lines that were left out", time, () => Tell(id, bucket), TellInterval, Timeout.InfiniteTimeSpan);
            return false;
        }
    }

    private void Tell(EventId id, Bucket bucket)
    {
        long leftOut;
        lock (_gate)
        {
            leftOut = bucket.LeftOut;
            bucket.LeftOut = 0;
            bucket.Timer?.Dispose();
        }

        tell(id, leftOut);
    }

    private sealed class Bucket(long now)
    {
        private double _lines = Burst;
        private long _at = now;

        internal long LeftOut { get; set; }

        internal ITimer? Timer { get; set; }

        internal bool TryTake(TimeProvider time)
        {
            var now = time.GetTimestamp();
            _lines = Math.Min(Burst, _lines + time.GetElapsedTime(_at, now).TotalSeconds * PerSecond);
            _at = now;
            if (_lines < 1)
                return false;
            _lines--;
            return true;
        }
    }
}
