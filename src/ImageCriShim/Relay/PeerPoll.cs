using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace ImageCriShim.Relay;

/// <summary>
/// What poll(2) says and .NET does not: that a peer is gone, although not everything that it sent has been read; and which of two
/// descriptors has something to read, one of them no socket.
/// </summary>
internal static partial class PeerPoll
{
    private const short Input = 0x1; // POLLIN
    private const short Hangup = 0x10; // POLLHUP: both directions are closed; reported unasked
    private const int Forever = -1;

    internal static unsafe bool HasHungUp(Socket socket)
    {
        var poll = new PollFd { Handle = (int)socket.Handle };
        return Poll(&poll, count: 1, milliseconds: 0) > 0 && (poll.Happened & Hangup) != 0;
    }

    /// <summary>Waits until something can be read from one of them, or an error with it, or a signal comes.</summary>
    /// <returns>Of which.</returns>
    internal static unsafe (bool First, bool Second) WaitForInput(int first, int second)
    {
        var polls = stackalloc PollFd[] { new() { Handle = first, Wanted = Input }, new() { Handle = second, Wanted = Input } };
        return Poll(polls, count: 2, Forever) > 0 ? (polls[0].Happened != 0, polls[1].Happened != 0) : default;
    }

    [LibraryImport(LibC.Name, EntryPoint = "poll")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static unsafe partial int Poll(PollFd* polls, nuint count, int milliseconds);

    /// <summary>struct pollfd.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct PollFd
    {
        public int Handle;
        public short Wanted;
        public short Happened;
    }
}
