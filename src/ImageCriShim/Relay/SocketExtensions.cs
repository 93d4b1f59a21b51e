using System.Net.Sockets;

namespace ImageCriShim.Relay;

/// <summary>Ends connections.</summary>
internal static class SocketExtensions
{
    /// <summary>Ends both directions, whatever state the socket is in. What has arrived can still be read.</summary>
    internal static void ShutDown(this Socket socket)
    {
        try
        {
            socket.Shutdown(SocketShutdown.Both);
        }
        catch (SocketException)
        {
            // Not connected any more.
        }
        catch (ObjectDisposedException)
        {
            // Both pumps have ended.
        }
    }
}
