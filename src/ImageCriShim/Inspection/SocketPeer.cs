using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace ImageCriShim.Inspection;

/// <summary>Who is at the other end of a unix socket: the process that began to listen there (SO_PEERCRED, unix(7)).</summary>
internal static class SocketPeer
{
    private const int SocketLevel = 1; // SOL_SOCKET
    private const int PeerCredential = 17; // SO_PEERCRED

    /// <returns>Null where it is not known, such as in another namespace.</returns>
    public static int? FindProcess(Socket socket)
    {
        Span<byte> credential = stackalloc byte[12]; // struct ucred: pid, uid, gid
        try
        {
            socket.GetRawSocketOption(SocketLevel, PeerCredential, credential);
        }
        catch (SocketException)
        {
            return null;
        }

        return MemoryMarshal.Read<int>(credential) is > 0 and var process ? process : null;
    }
}
