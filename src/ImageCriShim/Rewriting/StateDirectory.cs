using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;

namespace ImageCriShim.Rewriting;

/// <summary>Where the state lies. That it cannot be used is said once, however many files are in it, and so is that it can again.</summary>
internal sealed partial class StateDirectory(string path, ILogger log)
{
    private int _isFailing;

    public string Path { get; } = path;

    public void Fails(Exception e)
    {
        if (Interlocked.Exchange(ref _isFailing, 1) == 0)
            Log.StateNotKept(log, Path, e is UnauthorizedAccessException ? "this process may not write there" : "the disk is full, read-only or broken");
    }

    public void Works()
    {
        if (Interlocked.Exchange(ref _isFailing, 0) == 1)
            Log.StateIsKeptAgain(log, Path);
    }

    /// <summary>
    /// Puts the names in it onto the disk; without it a new one may be lost with the power (fsync(2)). A file system that cannot do it
    /// does without.
    /// </summary>
    public void Persist()
    {
        const int readOnlyAndNotInherited = 0x80000; // O_RDONLY | O_CLOEXEC
        var handle = Open(Path, readOnlyAndNotInherited);
        if (handle < 0)
            return;
        _ = Fsync(handle);
        _ = Close(handle);
    }

    [LibraryImport(LibC.Name, EntryPoint = "open")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [LibraryImport(LibC.Name, EntryPoint = "fsync")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Fsync(int handle);

    [LibraryImport(LibC.Name, EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Close(int handle);
}
