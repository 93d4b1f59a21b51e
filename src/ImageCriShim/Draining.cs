using System.Diagnostics;
using ImageCriShim.Handover;
using ImageCriShim.Hosting;
using ImageCriShim.Relay;
using ImageCriShim.Rewriting;
using Microsoft.Extensions.Logging;
using Log = ImageCriShim.Handover.Log;

namespace ImageCriShim;

/// <summary>
/// The end of a process that has handed over: it serves the calls that it has, and reports them to the process that serves now. It ends with
/// the last call, or at a limit; or it serves again, if nobody else does.
/// </summary>
/// <param name="socket">On which callers reach the processes that share it.</param>
/// <param name="listener">Holds the connections that are left.</param>
/// <param name="successor">That this process has handed over to.</param>
/// <param name="stop">Shortens the wait: the whole service stops.</param>
/// <param name="options">The limits.</param>
/// <param name="state">What this process learns, and the one that serves keeps; null where it edits no calls.</param>
/// <param name="log">The log.</param>
internal sealed class Draining(
    ShimSocket socket, RelayListener listener, SuccessorProcess successor, Stop stop, ServeOptions options, NodeState? state, ILogger log)
{
    // Before the main process of the service has waited as long as it may, which waits for this one too.
    private static readonly TimeSpan s_beforeSuccessor = TimeSpan.FromSeconds(3);

    private readonly long _begin = Stopwatch.GetTimestamp();

    private int? _serving; // as it has answered itself, where neither the successor nor the one after it is there any more

    /// <summary>Waits until it is over.</summary>
    /// <returns>False: nobody serves any more, and this process can.</returns>
    internal bool Run()
    {
        Log.HandedOver(log, successor.Id, successor.Version, $"{options.DrainTimeout.TotalMinutes:0} min", listener.Connections);
        using var reports = new DrainReports(socket.Path, Report, state, TimeProvider.System);
        bool IsMissed() => !IsServed(reports) && socket.IsReachable;
        listener.Drain(() => IsOver || IsMissed());
        if (!IsOver && IsMissed()) // the last call may have ended at the same time
            return false;
        if (listener.Connections == 0)
            Log.Drained(log);
        else
            Log.DrainCut(log, $"{Stopwatch.GetElapsedTime(_begin).TotalSeconds:0} s", listener.Calls.Count);
        listener.End();
        return true;
    }

    private bool IsOver =>
        (stop.HasBegun && (!listener.IsAnyWaitedFor || stop.Elapsed >= options.StopTimeout - s_beforeSuccessor))
        || stop.Hurry.IsCancellationRequested
        || Stopwatch.GetElapsedTime(_begin) >= options.DrainTimeout;

    private bool IsServed(DrainReports reports)
    {
        if (successor.IsServing || (_serving is { } process && LibC.IsThere(process)))
            return true;
        _serving = reports.FindServing(out var isNone);
        return !isNone;
    }

    private PredecessorReport Report(bool isLast)
    {
        var calls = listener.Calls;
        var oldest = calls.OrderByDescending(call => call.Age).FirstOrDefault();
        var until = DateTimeOffset.UtcNow + options.DrainTimeout - Stopwatch.GetElapsedTime(_begin);
        return new(
            Environment.ProcessId, ShimVersion.Text, listener.Connections, calls.Count, oldest.Method?.Name ?? "", oldest.Age, until, isLast);
    }
}
