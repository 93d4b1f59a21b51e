using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace ImageCriShim.Relay;

/// <summary>Accepts callers and relays each on threads of its own.</summary>
internal sealed class RelayListener(Socket listener, RuntimeSocket runtime, BeginRouting begin, ILogger log) : IDisposable
{
    private readonly HeldBytes _heldBytes = new(RelayLimits.HeldBytes);
    private readonly OpenConnections _open = new();
    private readonly WakeUp _stop = new();
    private int _connections;
    private int _runtimeAway; // 1 while it is known to be away, so that it is said once

    internal int Connections => Volatile.Read(ref _connections);

    /// <summary>Of edited calls, over all connections.</summary>
    internal long HeldBytes => _heldBytes.Current;

    /// <summary>Accepts until it is stopped.</summary>
    internal void Run()
    {
        listener.Blocking = false; // another process may listen on it as well, and be faster
        while (TryAccept(out var caller))
        {
            var count = Interlocked.Increment(ref _connections);
            Action<Socket> serve = count <= RelayLimits.Connections ? Serve : RefuseOneTooMany;
            var accepted = caller;
            RelayThreads.Start(() => Guard(serve, accepted));
        }
    }

    /// <summary>Accepts nobody any more; who is there is served on.</summary>
    internal void Stop() => _stop.Set();

    /// <summary>
    /// When it is stopped: returns when every caller has the answers that it waited for, and has been told to come back elsewhere.
    /// </summary>
    /// <param name="hurry">Ends everything at once.</param>
    internal void EndCalls(CancellationToken hurry) => _open.EndAll(() => Connections > 0, hurry);

    public void Dispose() => _stop.Dispose();

    private bool TryAccept(out Socket caller)
    {
        caller = null!;
        while (_stop.WaitForCaller(listener))
        {
            try
            {
                caller = listener.Accept();
                caller.Blocking = true;
                return true;
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.ConnectionAborted)
            {
                // Somebody else has accepted this caller, or it has gone.
            }
            catch (SocketException)
            {
                Thread.Sleep(RuntimeSocket.RetryInterval); // no descriptor or memory is free; the caller waits in the backlog
            }
        }

        return false;
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
        var socket = runtime.Connect(() => !IsClosed(caller), out var reason);
        if (socket is null)
        {
            if (Interlocked.Exchange(ref _runtimeAway, 1) == 0)
                Log.RuntimeAway(log, reason);
            Refuse(caller, StreamAnswer.Error(GrpcCode.Unavailable, $"image-cri-shim: {reason}"));
            return;
        }

        if (Interlocked.Exchange(ref _runtimeAway, 0) == 1)
            Log.RuntimeBack(log, runtime.Path);
        var connection = new RelayConnection(caller, socket, begin(() => !IsClosed(caller)), _heldBytes, log);
        _open.Add(connection);
        try
        {
            connection.Run();
        }
        finally
        {
            _open.Remove(connection);
        }
    }

    private void RefuseOneTooMany(Socket caller)
    {
        Log.TooManyConnections(log, RelayLimits.Connections);
        var answer = StreamAnswer.Error(
            GrpcCode.ResourceExhausted, $"image-cri-shim: {RelayLimits.Connections} connections are open, which is the limit");
        new RefusingConnection(caller, answer, static () => false).Run();
    }

    private void Refuse(Socket caller, StreamAnswer refusal) => new RefusingConnection(caller, refusal, IsRuntimeBack).Run();

    private bool IsRuntimeBack()
    {
        using var socket = runtime.TryConnect(out _);
        return socket is not null;
    }

    private static bool IsClosed(Socket caller) => PeerPoll.HasHungUp(caller);
}
