using System.Diagnostics;

namespace ImageCriShim.Relay;

/// <summary>The connections that are being relayed, and how all of them end without a call being lost.</summary>
internal sealed class OpenConnections
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(10); // how soon an end is noticed

    // Behind the last answer that anybody waits for: what is read then goes on for ever.
    private static readonly TimeSpan s_endless = TimeSpan.FromMilliseconds(250);

    private readonly HashSet<RelayConnection> _all = [];
    private readonly Lock _gate = new();

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
            _all.Add(connection);
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
        var partings = new Dictionary<RelayConnection, Parting>();
        for (var waited = Stopwatch.GetTimestamp(); isAnyLeft() && !hurry.IsCancellationRequested; hurry.WaitHandle.WaitOne(s_interval))
        {
            partings = Current().ToDictionary(connection => connection, connection => partings.GetValueOrDefault(connection) ?? new(connection));
            foreach (var parting in partings.Values)
                parting.Look();
            if (partings.Values.Any(parting => parting.IsWaitedFor))
                waited = Stopwatch.GetTimestamp();
            var areOnlyEndlessLeft = Stopwatch.GetElapsedTime(waited) >= s_endless;
            foreach (var parting in partings.Values)
                parting.EndIfDue(areOnlyEndlessLeft);
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
