using System.Runtime.InteropServices;

namespace ImageCriShim;

internal static partial class LibC
{
    /// <summary>Its whole name, which musl answers to as well: of <c>libc</c> a hundred other spellings are tried at every start.</summary>
    internal const string Name = "libc.so.6";

    /// <summary>Sets what fcntl(2) calls F_SETFD: 1 (FD_CLOEXEC) is not inherited.</summary>
    internal static void SetDescriptorFlags(int handle, int flags) => _ = Fcntl(handle, command: 2, flags);

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

    [LibraryImport(Name, EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags);

    [LibraryImport(Name, EntryPoint = "fsync")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Fsync(int handle);

    [LibraryImport(Name, EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Close(int handle);

    [LibraryImport(Name, EntryPoint = "fcntl")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Fcntl(int handle, int command, int argument);
}
