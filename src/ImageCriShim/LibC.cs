using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace ImageCriShim;

internal static partial class LibC
{
    /// <summary>Its whole name, which musl answers to as well: of <c>libc</c> a hundred other spellings are tried at every start.</summary>
    internal const string Name = "libc.so.6";

    /// <summary>No program that this process starts inherits the descriptor: fcntl(2), F_SETFD, FD_CLOEXEC.</summary>
    internal static void DoNotInherit(int handle) => _ = Fcntl(handle, command: 2, argument: 1);

    /// <summary>Sets what fcntl(2) calls F_SETFL: 0x800 (O_NONBLOCK) does not wait. It holds for all processes that share the descriptor.</summary>
    internal static void SetStatusFlags(int handle, int flags) => _ = Fcntl(handle, command: 4, flags);

    /// <summary>
    /// Puts the names in a directory onto the disk; without it a new one may be lost with the power (fsync(2)). A file system that cannot do it
    /// does without.
    /// </summary>
    internal static void PersistDirectory(string path)
    {
        const int readOnlyAndNotInherited = 0x80000; // O_RDONLY | O_CLOEXEC
        var handle = Open(path, readOnlyAndNotInherited);
        if (handle < 0)
            return;
        _ = Fsync(handle);
        _ = Close(handle);
    }

    /// <summary>Puts what a descriptor is of onto the disk: fsync(2). A file system that cannot do it does without.</summary>
    internal static void Persist(int handle) => _ = Fsync(handle);

    /// <summary>Another number for the same descriptor, 64 or above; it is not inherited.</summary>
    internal static int DuplicateFarAbove(int handle)
    {
        const int duplicateNotInherited = 1030, least = 64; // F_DUPFD_CLOEXEC
        return Fcntl(handle, duplicateNotInherited, least);
    }

    /// <summary>Two unix stream sockets that are connected with each other, neither of which is inherited: socketpair(2).</summary>
    internal static unsafe (int First, int Second) MakeSocketPair()
    {
        const int unix = 1, streamAndNotInherited = 0x80001; // AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC
        var pair = stackalloc int[2];
        return SocketPair(unix, streamAndNotInherited, protocol: 0, pair) == 0
            ? (pair[0], pair[1])
            : throw new SocketException((int)SocketError.TooManyOpenSockets); // there is no other reason
    }

    /// <returns>A descriptor; less than 0 where it cannot be opened: open(2).</returns>
    internal static int OpenFile(string path, int flags) => Open(path, flags);

    internal static void CloseDescriptor(int handle) => _ = Close(handle);

    /// <summary>Without effect if there is no such process.</summary>
    internal static void SendSignal(int process, int signal) => _ = Kill(process, signal);

    /// <summary>Whether there is such a process.</summary>
    internal static bool IsThere(int process) => Kill(process, signal: 0) == 0;

    /// <summary>Waits until a child of this process has ended: waitpid(2).</summary>
    /// <returns>False: it has not.</returns>
    internal static bool TryWaitForChild(int process, TimeSpan patience)
    {
        const int doNotHang = 1; // WNOHANG
        var interval = TimeSpan.FromMilliseconds(1); // it is about to end
        for (var begin = Stopwatch.GetTimestamp(); WaitPid(process, 0, doNotHang) is 0; Thread.Sleep(interval))
        {
            if (Stopwatch.GetElapsedTime(begin) >= patience)
                return false;
        }

        return true; // or it is no child of this process
    }

    [LibraryImport(Name, EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags);

    [LibraryImport(Name, EntryPoint = "fsync")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Fsync(int handle);

    [LibraryImport(Name, EntryPoint = "socketpair")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static unsafe partial int SocketPair(int family, int type, int protocol, int* pair);

    [LibraryImport(Name, EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Kill(int process, int signal);

    [LibraryImport(Name, EntryPoint = "waitpid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int WaitPid(int process, nint status, int options);

    [LibraryImport(Name, EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Close(int handle);

    [LibraryImport(Name, EntryPoint = "fcntl")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Fcntl(int handle, int command, int argument);
}
