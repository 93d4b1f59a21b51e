using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace ImageCriShim.Relay;

/// <summary>What poll(2) says of a peer and .NET does not: that it is gone, although not everything that it sent has been read.</summary>
internal static unsafe partial class PeerPoll
{
    private const short Hangup = 0x10; // POLLHUP: both directions are closed; reported unasked

    internal static bool HasHungUp(Socket socket)
    {
        var poll = new PollFd { Handle = (int)socket.Handle };
        return Poll(&poll, count: 1, milliseconds: 0) > 0 && (poll.Happened & Hangup) != 0;
    }

    [LibraryImport(LibC.Name, EntryPoint = "poll")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int Poll(PollFd* polls, nuint count, int milliseconds);
}

/// <summary>struct pollfd of poll(2).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PollFd
{
    public int Handle;
    public short Wanted;
    public short Happened;
}
