using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace ImageCriShim.Relay;

/// <summary>Accepts callers and relays each on threads of its own.</summary>
internal sealed class RelayListener(Socket listener, RuntimeSocket runtime, BeginRouting begin, ILogger log)
{
    private readonly HeldBytes _heldBytes = new(RelayLimits.HeldBytes);
    private int _connections;
    private int _runtimeAway; // 1 while it is known to be away, so that it is said once

    internal int Connections => Volatile.Read(ref _connections);

    /// <summary>Of edited calls, over all connections.</summary>
    internal long HeldBytes => _heldBytes.Current;

    /// <summary>Accepts until the listening socket is closed.</summary>
    internal void Run()
    {
        while (TryAccept(out var caller))
        {
            var count = Interlocked.Increment(ref _connections);
            Action<Socket> serve = count <= RelayLimits.Connections ? Serve : RefuseOneTooMany;
            var accepted = caller;
            RelayThreads.Start(() => Guard(serve, accepted));
        }
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
            catch (SocketException e) when (e.SocketErrorCode is SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable)
            {
                Thread.Sleep(RuntimeSocket.RetryInterval); // no descriptor is free; the caller waits in the backlog
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                caller = null!;
                return false;
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
        new RelayConnection(caller, socket, begin(() => !IsClosed(caller)), _heldBytes, log).Run();
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
