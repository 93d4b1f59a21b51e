using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace ImageCriShim.Relay;

/// <summary>
/// Wakes a thread that waits for a caller. To close or shut down a listening socket would wake it too, but the socket may be systemd's as
/// well, and the next process's.
/// </summary>
internal sealed partial class WakeUp : IDisposable
{
    private const short Readable = 1; // POLLIN
    private const int Infinite = -1;
    private const int NonBlockingAndNotInherited = 0x80800; // EFD_NONBLOCK | EFD_CLOEXEC

    private readonly int _event = MakeEvent(0, NonBlockingAndNotInherited);

    /// <summary>From any thread, for good.</summary>
    internal void Set() => _ = Write(_event, 1, sizeof(ulong));

    /// <returns>False once it is set.</returns>
    internal unsafe bool WaitForCaller(Socket listener)
    {
        var polls = stackalloc PollFd[2];
        (polls[0].Handle, polls[0].Wanted) = (_event, Readable);
        (polls[1].Handle, polls[1].Wanted) = ((int)listener.Handle, Readable);
        while (true)
        {
            _ = PeerPoll.Poll(polls, 2, Infinite);
            if (polls[0].Happened != 0)
                return false;
            if (polls[1].Happened != 0)
                return true;
        }
    }

    public void Dispose() => _ = Close(_event);

    [LibraryImport(LibC.Name, EntryPoint = "eventfd")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int MakeEvent(uint value, int flags);

    [LibraryImport(LibC.Name, EntryPoint = "write")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint Write(int handle, in ulong value, nuint octets);

    [LibraryImport(LibC.Name, EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Close(int handle);
}
