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

    [LibraryImport(Name, EntryPoint = "fcntl")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Fcntl(int handle, int command, int argument);
}
