using System.Net.Sockets;

namespace ImageCriShim.Relay;

/// <summary>The runtime's socket file, and how a connection to it is made although the runtime may be restarting.</summary>
internal sealed class RuntimeSocket(string path, TimeProvider time)
{
    /// <summary>How long a caller's connection is held while the runtime is away; a restart takes it less than a second.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>Between two attempts: connecting to a socket file costs some microseconds.</summary>
    internal static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(20);

    private static readonly Lock s_opening = new(); // so that one thread at a time holds one of the last descriptors, for a moment

    internal string Path { get; } = path;

    internal TimeProvider Time => time;

    /// <summary>A connection has been made. Raised on the thread that made it.</summary>
    internal event Action? Connected;

    /// <summary>Tries it.</summary>
    /// <returns>Null: it is there.</returns>
    internal string? WhyAway()
    {
        using var socket = TryConnect(out var reason);
        return socket is null ? reason : null;
    }

    /// <returns>A blocking, connected socket, or null and the reason.</returns>
    internal Socket? TryConnect(out string reason)
    {
        Socket? socket = null;
        try
        {
            socket = Open();
            // A runtime that hangs accepts nobody, and connecting would wait for room in its backlog for ever (unix(7), socket(7)).
            socket.SendTimeout = (int)RetryInterval.TotalMilliseconds;
            socket.Connect(new UnixDomainSocketEndPoint(Path));
            socket.SendTimeout = 0;
            Connected?.Invoke();
            reason = "";
            return socket;
        }
        catch (SocketException e)
        {
            socket?.Dispose();
            reason = $"the container runtime's socket {Path} cannot be connected: {Describe(e.SocketErrorCode)}";
            return null;
        }
    }

    /// <summary>Tries until it succeeds, patience ends or nobody waits any more.</summary>
    internal Socket? Connect(Func<bool> isWanted, out string reason)
    {
        var begin = time.GetTimestamp();
        while (true)
        {
            var socket = TryConnect(out reason);
            if (socket is not null || time.GetElapsedTime(begin) >= Patience || !isWanted())
                return socket;
            Thread.Sleep(RetryInterval); // the thread belongs to this connection alone
        }
    }

    private static Socket Open()
    {
        lock (s_opening)
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            if (Descriptors.LeftAbove(socket.SafeHandle) >= Descriptors.LastReserve)
                return socket;
            socket.Dispose();
            throw new SocketException((int)SocketError.TooManyOpenSockets);
        }
    }

    private static string Describe(SocketError error) => error switch
    {
        SocketError.ConnectionRefused => "nothing listens on it",
        SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported => "there is no such socket",
        SocketError.AccessDenied => "permission denied",
        SocketError.WouldBlock or SocketError.TryAgain => "the runtime accepts no connections at the moment",
        SocketError.TooManyOpenSockets => Descriptors.Exhausted,
        _ => $"{error}",
    };
}
