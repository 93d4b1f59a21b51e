using System.Diagnostics;

namespace ImageCriShim.Relay;

/// <summary>The connections that are being relayed, and how all of them end without a call being lost.</summary>
internal sealed class OpenConnections
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(10); // how soon an end is noticed
    private static readonly TimeSpan s_hearing = TimeSpan.FromSeconds(1); // a caller that has not answered by then is not there, or stopped

    // Behind the last answer that anybody waits for: what is read then goes on for ever.
    private static readonly TimeSpan s_endless = TimeSpan.FromMilliseconds(250);

    private readonly HashSet<RelayConnection> _all = [];
    private readonly Lock _gate = new();
    private bool _isEnding;

    internal int Count
    {
        get
        {
            lock (_gate)
                return _all.Count;
        }
    }

    internal void Add(RelayConnection connection)
    {
        lock (_gate)
        {
            _all.Add(connection);
            if (!_isEnding)
                return;
        }

        connection.SayFarewell();
    }

    internal void Remove(RelayConnection connection)
    {
        lock (_gate)
            _all.Remove(connection);
    }

    /// <summary>
    /// Tells each caller to come back on a new connection, and waits until nobody waits for an answer any more. Answers that go on for ever
    /// are ended last, when nobody waits for anything else on any connection.
    /// </summary>
    /// <param name="isAnyLeft">Whether there are callers, relayed or not.</param>
    /// <param name="hurry">Ends everything at once.</param>
    internal void EndAll(Func<bool> isAnyLeft, CancellationToken hurry)
    {
        lock (_gate)
            _isEnding = true;
        foreach (var connection in Current())
            connection.SayFarewell();
        var begin = Stopwatch.GetTimestamp();
        for (var waited = begin; isAnyLeft() && !hurry.IsCancellationRequested; hurry.WaitHandle.WaitOne(s_interval))
        {
            var current = Current().Select(connection => (Connection: connection, Seen: connection.Look())).ToList();
            if (current.Any(one => one.Seen.IsWaitedFor))
                waited = Stopwatch.GetTimestamp();
            var areOnlyEndlessLeft = Stopwatch.GetElapsedTime(waited) >= s_endless;
            var isTimeToHearOver = Stopwatch.GetElapsedTime(begin) >= s_hearing;
            // Whoever has not heard may be sending a call just now.
            foreach (var (connection, _) in current.Where(one => (one.Seen.HasHeard || isTimeToHearOver) && (one.Seen.IsQuiet || areOnlyEndlessLeft)))
                connection.End();
        }

        foreach (var connection in Current())
            connection.End();
    }

    private RelayConnection[] Current()
    {
        lock (_gate)
            return [.. _all];
    }
}
