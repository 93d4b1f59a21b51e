using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace ImageCriShim.Relay;

/// <summary>Calls a thread away from waiting for a socket: eventfd(2).</summary>
internal sealed partial class Bell
{
    private const int NoDescriptor = -1; // poll(2) leaves it alone

    private readonly int _handle;

    internal Bell()
    {
        const int nonBlockingAndNotInherited = 0x80800; // EFD_NONBLOCK | EFD_CLOEXEC
        _handle = EventFd(0, nonBlockingAndNotInherited);
        if (_handle < 0)
            throw new SocketException((int)SocketError.TooManyOpenSockets); // there is no other reason
    }

    internal unsafe void Ring()
    {
        var once = 1UL;
        _ = Write(_handle, &once, sizeof(ulong));
    }

    internal unsafe void Silence()
    {
        ulong times;
        _ = Read(_handle, &times, sizeof(ulong));
    }

    /// <summary>Waits for this bell, or for a signal.</summary>
    /// <returns>Whether it is rung.</returns>
    internal bool Wait() => PeerPoll.WaitForInput(_handle, NoDescriptor).First;

    /// <summary>Waits for this bell, or something to do on the socket.</summary>
    internal (bool IsRung, bool IsCalled) WaitWith(Socket socket) => PeerPoll.WaitForInput(_handle, (int)socket.Handle);

    [LibraryImport(LibC.Name, EntryPoint = "eventfd")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int EventFd(uint count, int flags);

    [LibraryImport(LibC.Name, EntryPoint = "write")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static unsafe partial nint Write(int handle, ulong* from, nuint count);

    [LibraryImport(LibC.Name, EntryPoint = "read")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static unsafe partial nint Read(int handle, ulong* into, nuint count);
}
