using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace ImageCriShim.Relay;

/// <summary>What poll(2) says of a peer and .NET does not: that it is gone, although not everything that it sent has been read.</summary>
internal static partial class PeerPoll
{
    private const short Hangup = 0x10; // POLLHUP: both directions are closed; reported unasked

    internal static bool HasHungUp(Socket socket)
    {
        var poll = new PollFd { Handle = (int)socket.Handle };
        return Poll(ref poll, count: 1, milliseconds: 0) > 0 && (poll.Happened & Hangup) != 0;
    }

    [LibraryImport(LibC.Name, EntryPoint = "poll")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Poll(ref PollFd poll, nuint count, int milliseconds);

    /// <summary>struct pollfd.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct PollFd
    {
        public int Handle;
        public short Wanted;
        public short Happened;
    }
}
