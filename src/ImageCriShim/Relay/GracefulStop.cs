using System.Diagnostics;
using ImageCriShim.Metrics;
using Microsoft.Extensions.Logging;

namespace ImageCriShim.Relay;

/// <summary>
/// The end of a process whose successor starts when it is gone:
/// <list type="number">
/// <item>It goes on accepting and serving until the calls that were open are over. Younger ones are short, as a rule.</item>
/// <item>It pauses accepting, sends GOAWAY, and gives the young calls a moment. Callers wait in the socket meanwhile, for less than the second
/// after which a gRPC stack may give a connection up.</item>
/// <item>If a young call lasts longer, it accepts again, waits for that call, and repeats the second step.</item>
/// <item>At the limit it cuts what is left, and the log names it.</item>
/// </list>
/// </summary>
/// <param name="acceptor">Is paused when this returns.</param>
/// <param name="connections">All that are open.</param>
/// <param name="callers">How many there are, relayed or not.</param>
/// <param name="isHeldUp">Whether another process of ours still has calls, which ends together with this one.</param>
/// <param name="time">The clock by which callers wait for the runtime.</param>
/// <param name="log">The log.</param>
internal sealed class GracefulStop(
    Acceptor acceptor, OpenConnections connections, Func<int> callers, Func<bool> isHeldUp, TimeProvider time, ILogger log)
{
    private const int NamedCalls = 8;

    // Together with the start of a successor (0.1 to 0.2 s) less than a second.
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(700);

    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_betweenPauses = TimeSpan.FromSeconds(1); // callers that have waited are served for at least so long

    private readonly long _begin = time.GetTimestamp();

    /// <summary>Returns when no call is left, or when it is time to cut those that are.</summary>
    /// <param name="limit">How long calls are waited for.</param>
    /// <param name="hurry">Cuts everything at once.</param>
    public void Run(TimeSpan limit, CancellationToken hurry)
    {
        var begin = Stopwatch.GetTimestamp();
        var (since, rest) = (begin, TimeSpan.Zero);
        while (Stopwatch.GetElapsedTime(begin) < limit && !hurry.IsCancellationRequested)
        {
            if (!isHeldUp() && Stopwatch.GetElapsedTime(since) >= rest && AreAllYounger(since))
            {
                if (TryEnd(hurry))
                    return;
                acceptor.Resume();
                (since, rest) = (Stopwatch.GetTimestamp(), s_betweenPauses);
            }

            hurry.WaitHandle.WaitOne(s_interval);
        }

        if (!TryEnd(hurry))
            Log.CallsCut(log, connections.Calls.Count, $"{limit.TotalSeconds:0.#} s", Name(connections.Calls));
    }

    private bool AreAllYounger(long since) => connections.OldestCall is not { } oldest || oldest >= since;

    private bool TryEnd(CancellationToken hurry)
    {
        acceptor.Pause();
        if (!connections.TryDrain(callers, s_pause, IsRuntimeWaitedFor, hurry))
            return false;
        if (connections.Calls is { Count: > 0 } streams)
            Log.StreamsEnded(log, streams.Count, Name(streams));
        return true;
    }

    /// <summary>
    /// A caller that was accepted is served although the runtime, or this machine, is slow at the moment: dropped before it has SETTINGS it
    /// fails its call. Behind a runtime that hangs it would wait for ever.
    /// </summary>
    private bool IsRuntimeWaitedFor() => time.GetElapsedTime(_begin) < RuntimeSocket.Patience;

    private static string Name(IReadOnlyList<(CallCount Method, TimeSpan Age)> calls)
    {
        var names = calls.OrderByDescending(call => call.Age).Take(NamedCalls).Select(call => $"{call.Method.Name} for {call.Age.TotalSeconds:0} s");
        return $"{string.Join(", ", names)}{(calls.Count > NamedCalls ? ", ..." : "")}";
    }
}
