using System.Net.Sockets;

namespace ImageCriShim.Tests.Fakes;

/// <summary>
/// The end of a socket, seen by its peers at once. To close it alone is not enough: a program that another test is starting at this moment
/// holds a copy of every descriptor until its exec, and as long as it does a peer sees no end, and a listener takes connections.
/// </summary>
internal static class SocketEnds
{
    /// <summary>Shuts the socket down, whoever holds a copy (shutdown(2)), and closes it.</summary>
    internal static void End(this Socket socket)
    {
        ShutDown(socket);
        socket.Dispose();
    }

    /// <inheritdoc cref="End(Socket)"/>
    internal static void End(this TcpListener listener)
    {
        ShutDown(listener.Server);
        listener.Dispose();
    }

    private static void ShutDown(Socket socket)
    {
        try
        {
            socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It was not connected, or has ended already.
        }
    }
}
