using System.Diagnostics;
using ImageCriShim.Metrics;

namespace ImageCriShim.Relay;

/// <summary>The connections that are being relayed, and how they are drained: each caller moves to a new connection, and no call is lost.</summary>
internal sealed class OpenConnections
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(10); // how soon an end is noticed
    private static readonly TimeSpan s_longInterval = TimeSpan.FromMilliseconds(100); // the same, of what takes long
    private static readonly TimeSpan s_begin = TimeSpan.FromSeconds(2);

    // After the last response that a caller waits for: the calls that are left then go on for ever.
    private static readonly TimeSpan s_endless = TimeSpan.FromMilliseconds(250);

    private readonly HashSet<RelayConnection> _all = [];
    private readonly Lock _gate = new();
    /// <inheritdoc cref="ConnectionDrain(RelayConnection, TimeSpan)" path="/param[@name='newcomer']"/>
    internal TimeSpan NewcomerPatience { get; set; } = ConnectionDrain.Newcomer;

    private Dictionary<RelayConnection, ConnectionDrain> _drains = []; // of callers that have been told to leave, or are about to be

    internal int Count
    {
        get
        {
            lock (_gate)
                return _all.Count;
        }
    }

    /// <summary>When the oldest call began that a caller waits for, by <see cref="Stopwatch"/>; null if there is none.</summary>
    internal long? OldestCall => Current().Min(connection => connection.Look().OldestCall);

    /// <summary>The calls that are open, each with its method and its age.</summary>
    internal IReadOnlyList<(CallCount Method, TimeSpan Age)> Calls => [.. Current().SelectMany(connection => connection.ListCalls())];

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

    /// <summary>Tells each caller to leave, and waits until all have, however long their calls and streams last.</summary>
    /// <param name="callers">How many there are, relayed or not.</param>
    /// <param name="isOver">Ends the wait.</param>
    internal void Drain(Func<int> callers, Func<bool> isOver)
    {
        for (var begin = Stopwatch.GetTimestamp(); callers() > 0 && !isOver();)
        {
            Look();
            // Between two looks, on the main thread, which has nothing else to do while a successor serves.
            Thread.Sleep(Stopwatch.GetElapsedTime(begin) < s_begin ? s_interval : s_longInterval);
        }
    }

    /// <summary>
    /// Tells each caller to leave, while none is accepted, and waits a while. Streams that nobody waits for are not waited for either.
    /// </summary>
    /// <param name="callers">How many there are, relayed or not.</param>
    /// <param name="time">How long to wait.</param>
    /// <param name="isPatient">Whether callers that are not relayed yet are waited for as well, for as long as that takes.</param>
    /// <param name="hurry">Ends the wait.</param>
    /// <returns>False: there are calls left that callers wait for, or callers that may call at any moment.</returns>
    internal bool TryDrain(Func<int> callers, TimeSpan time, Func<bool> isPatient, CancellationToken hurry)
    {
        var begin = Stopwatch.GetTimestamp();
        for (var waited = begin; Stopwatch.GetElapsedTime(begin) < time && !hurry.IsCancellationRequested; hurry.WaitHandle.WaitOne(s_interval))
        {
            if (callers() == 0)
                return true;
            Look();
            if (!AreAllLeft() || AreSomeBeginning())
                waited = Stopwatch.GetTimestamp();
            if (Stopwatch.GetElapsedTime(waited) >= s_endless)
                return true;
        }

        return AreAllLeft() && (hurry.IsCancellationRequested || !isPatient() || !AreSomeBeginning());

        bool AreSomeBeginning() => callers() > Count; // they wait for the runtime
    }

    /// <summary>Ends all of them, whatever goes on.</summary>
    internal void End()
    {
        foreach (var connection in Current())
            connection.End();
    }

    private bool AreAllLeft() => _drains.Values.All(drain => drain is { IsLeft: true, IsWaitedFor: false });

    private void Look()
    {
        _drains = Current().ToDictionary(connection => connection, connection => _drains.GetValueOrDefault(connection) ?? new(connection, NewcomerPatience));
        foreach (var drain in _drains.Values)
        {
            drain.Look();
            drain.CloseIfLeft();
        }
    }

    private RelayConnection[] Current()
    {
        lock (_gate)
            return [.. _all];
    }
}
