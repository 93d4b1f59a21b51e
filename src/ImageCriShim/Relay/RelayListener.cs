using System.Diagnostics;
using System.Net.Sockets;
using ImageCriShim.Metrics;
using Microsoft.Extensions.Logging;

namespace ImageCriShim.Relay;

/// <summary>Accepts callers and relays each on threads of its own.</summary>
internal sealed class RelayListener(Acceptor listener, RuntimeSocket runtime, BeginRouting begin, ShimMetrics metrics, ILogger log)
{
    private static readonly TimeSpan s_refusing = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan s_refusingAtMost = TimeSpan.FromSeconds(2);

    // A caller that was told to leave connects at once; on a busy node that takes some time, too.
    private static readonly TimeSpan s_comingBack = TimeSpan.FromMilliseconds(300);

    private readonly SpareDescriptor _spare = new(metrics.Calls, log);
    private readonly HeldBytes _heldBytes = new(RelayLimits.HeldBytes);
    private readonly OpenConnections _open = new();
    private int _connections;
    private volatile StreamAnswer? _refusal; // of every caller, at the end
    private int _runtimeAway; // 1 while it is known to be away, so that it is said once

    /// <summary>Of callers, relayed or not.</summary>
    internal int Connections => Volatile.Read(ref _connections);

    /// <inheritdoc cref="OpenConnections.NewcomerPatience"/>
    internal TimeSpan NewcomerPatience
    {
        set => _open.NewcomerPatience = value;
    }

    /// <summary>Of edited calls, over all connections.</summary>
    internal long HeldBytes => _heldBytes.Current;

    /// <summary>Accepts until the acceptor is disposed of.</summary>
    internal void Run()
    {
        while (TryAccept(out var caller))
        {
            var count = Interlocked.Increment(ref _connections);
            // Who has been accepted and is not relayed yet is going to take one more, to the runtime.
            var left = Descriptors.LeftAbove(caller.SafeHandle) - (count - _open.Count);
            Action<Socket> serve = _refusal is not null ? RefuseBecauseStopping : count > RelayLimits.Connections ? RefuseOneTooMany : left < Descriptors.Reserve ? RefuseForLackOfDescriptors : Serve;
            var accepted = caller;
            if (count > RelayLimits.Connections + RelayLimits.Refusals)
                Drop(caller);
            else if (left < Descriptors.Reserve / 2)
                Guard(RefuseForLackOfDescriptors, caller); // here: one at a time takes one descriptor, the others wait in the backlog
            else if (!RelayThreads.TryStart(() => Guard(serve, accepted)))
                Guard(RefuseForLackOfThreads, caller); // here, where the next caller waits for it, for 250 ms as a rule
        }
    }

    /// <summary>The calls that are open, each with its method and its age.</summary>
    internal IReadOnlyList<(CallCount Method, TimeSpan Age)> Calls => _open.Calls;

    /// <summary>Serves until it is time to end, and ends everything: see <see cref="GracefulStop"/>.</summary>
    /// <param name="limit">How long calls are waited for.</param>
    /// <param name="isHeldUp">Whether another process of ours still has calls, which ends together with this one.</param>
    /// <param name="hurry">Cuts everything at once.</param>
    internal void Stop(TimeSpan limit, Func<bool> isHeldUp, CancellationToken hurry)
    {
        new GracefulStop(listener, _open, () => Connections, isHeldUp, runtime.Time, log).Run(limit, hurry);
        _open.End();
    }

    /// <summary>Another process accepts: tells callers to go there, and waits until they have, however long their calls and streams last.</summary>
    /// <param name="isOver">Ends the wait; nothing is cut yet.</param>
    internal void Drain(Func<bool> isOver)
    {
        listener.Pause();
        _open.Drain(() => Connections, isOver);
    }

    /// <summary>Whether a caller waits for a call; a silent stream is not waited for.</summary>
    internal bool IsAnyWaitedFor => _open.OldestCall is not null;

    /// <summary>Accepts again.</summary>
    internal void Resume() => listener.Resume();

    /// <summary>
    /// Nobody serves after this process: callers that wait in the socket, or come back to it, are told so, for as long as some come, and two
    /// seconds at most.
    /// </summary>
    /// <param name="reason">For people.</param>
    internal void RefuseWaiting(string reason)
    {
        var begin = Stopwatch.GetTimestamp();
        _refusal = StreamAnswer.Error(GrpcCode.Unavailable, $"image-cri-shim: {reason}");
        listener.Resume();
        for (var last = begin; Stopwatch.GetElapsedTime(last) < s_comingBack && Stopwatch.GetElapsedTime(begin) < s_refusingAtMost;)
        {
            Thread.Sleep(s_refusing); // the last thing that this process does; others refuse meanwhile
            last = Connections > 0 ? Stopwatch.GetTimestamp() : last;
        }

        listener.Pause();
    }

    /// <summary>Cuts all calls.</summary>
    internal void End() => _open.End();

    /// <summary>There is not even room to tell him: he sees the connection end.</summary>
    private void Drop(Socket caller)
    {
        metrics.Refusals.Add("connections");
        Log.ConnectionDropped(log, RelayLimits.Connections, RelayLimits.Refusals);
        caller.Dispose();
        Interlocked.Decrement(ref _connections);
    }

    private bool TryAccept(out Socket caller)
    {
        while (true)
        {
            try
            {
                caller = listener.Accept();
                return true;
            }
            catch (ObjectDisposedException)
            {
                caller = null!;
                return false;
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable)
            {
                metrics.Refusals.Add("descriptors");
                _spare.RefuseNext(listener);
            }
            catch (SocketException)
            {
                Thread.Sleep(RuntimeSocket.RetryInterval); // the caller waits in the backlog
            }
        }
    }

    private void Guard(Action<Socket> serve, Socket caller)
    {
        try
        {
            serve(caller);
        }
        catch (Exception e) // a defect of ours costs this connection, not the process
        {
            Log.ConnectionFailed(log, e);
        }
        finally
        {
            caller.Dispose();
            Interlocked.Decrement(ref _connections);
        }
    }

    private void Serve(Socket caller)
    {
        var waiting = new WaitingCaller(caller, runtime.Time);
        string reason;
        for (var isLast = false; runtime.Connect(waiting.GoesOnWaiting, out reason) is { } socket; isLast = !waiting.GoesOnWaiting())
        {
            if (Interlocked.Exchange(ref _runtimeAway, 0) == 1)
                Log.RuntimeBack(log, runtime.Path);
            var route = begin(waiting.GoesOnWaitingForRelay);
            if (isLast || !PeerPoll.HasHungUp(socket))
            {
                Relay(caller, socket, route, waiting.Received);
                return;
            }

            socket.Dispose(); // the runtime has ended meanwhile; a caller that is cut before it has SETTINGS fails its calls for a while
        }

        RefuseBecauseAway(caller, reason, waiting.Received);
    }

    private void RefuseBecauseAway(Socket caller, string reason, FrameBuffer? received)
    {
        if (Interlocked.Exchange(ref _runtimeAway, 1) == 0)
            Log.RuntimeAway(log, reason);
        metrics.Refusals.Add("runtime");
        var refusal = StreamAnswer.Error(GrpcCode.Unavailable, $"image-cri-shim: {reason}");
        new RefusingConnection(caller, refusal, metrics.Calls, () => runtime.WhyAway() is null, received).Run();
    }

    private void Relay(Socket caller, Socket socket, RouteCall route, FrameBuffer? received)
    {
        var connection = new RelayConnection(caller, socket, route, _heldBytes, metrics.Calls, log, received);
        _open.Add(connection);
        try
        {
            connection.Run();
        }
        catch (NoThreadException) // for the second pump, before anything was passed on
        {
            socket.Dispose();
            RefuseForLackOfThreads(caller);
        }
        finally
        {
            _open.Remove(connection);
        }
    }

    private void RefuseForLackOfThreads(Socket caller)
    {
        metrics.Refusals.Add("threads");
        Log.NoRoom(log, NoThreadException.Reason);
        RefusingConnection.Refuse(caller, NoThreadException.Reason, metrics.Calls);
    }

    private void RefuseForLackOfDescriptors(Socket caller)
    {
        metrics.Refusals.Add("descriptors");
        Log.NoRoom(log, Descriptors.Short);
        RefusingConnection.Refuse(caller, Descriptors.Short, metrics.Calls);
    }

    private void RefuseOneTooMany(Socket caller)
    {
        metrics.Refusals.Add("connections");
        Log.TooManyConnections(log, RelayLimits.Connections);
        RefusingConnection.Refuse(caller, $"{RelayLimits.Connections} connections are open, which is the limit", metrics.Calls);
    }

    private void RefuseBecauseStopping(Socket caller) => new RefusingConnection(caller, _refusal!, metrics.Calls, static () => false).Run();

}
