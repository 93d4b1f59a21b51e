using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;

namespace ImageCriShim.Rewriting;

/// <summary>
/// The file of the record, in the state directory. It is either whole or as it was before: written beside, put onto the disk, renamed.
/// Nothing here throws for what a disk can do.
/// </summary>
internal sealed class PullRecordFile(string directory, ILogger log)
{
    internal const string Name = "pulls.json";

    private const int MaxBytes = 16 * 1024 * 1024; // all pulls that the record may hold, each as long as it may be, and then some
    private const UnixFileMode OwnersOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string _path = Path.Combine(directory, Name);
    private bool _failing;

    /// <summary>What was recorded before; what cannot be read is set aside.</summary>
    public IReadOnlyList<RecordedPull> Load()
    {
        try
        {
            Directory.CreateDirectory(directory, OwnersOnly | UnixFileMode.UserExecute);
            if (new FileInfo(_path) is { Exists: false })
                return [];
            if (new FileInfo(_path).Length > MaxBytes)
                return SetAside($"it is larger than {MaxBytes / 1024 / 1024} MiB");
            return PullRecordJson.TryRead(File.ReadAllBytes(_path), out var problem) ?? SetAside(problem);
        }
        catch (Exception e) when (IsOfTheDisk(e))
        {
            Failed(e);
            return [];
        }
    }

    /// <summary>Takes the place of the file. Blocks for as long as the disk does.</summary>
    /// <returns>False where it could not be written; the first failure of several is in the log.</returns>
    public bool TrySave(IReadOnlyList<RecordedPull> pulls)
    {
        try
        {
            var unfinished = _path + ".new";
            File.Delete(unfinished); // left by a process that was killed while it wrote
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnersOnly };
            using (var file = new FileStream(unfinished, options))
            {
                file.Write(PullRecordJson.Write(pulls).Span);
                file.Flush(flushToDisk: true);
            }

            File.Move(unfinished, _path, overwrite: true);
            Persist(directory);
            if (_failing)
                Log.RecordIsWrittenAgain(log, _path);
            _failing = false;
            return true;
        }
        catch (Exception e) when (IsOfTheDisk(e))
        {
            Failed(e);
            return false;
        }
    }

    /// <summary>One is kept, the last: it is for people to look at.</summary>
    private List<RecordedPull> SetAside(string problem)
    {
        var aside = _path + ".unusable";
        File.Move(_path, aside, overwrite: true);
        Log.RecordSetAside(log, _path, problem, aside);
        return [];
    }

    private void Failed(Exception e)
    {
        if (!_failing)
            Log.RecordNotKept(log, _path, e is UnauthorizedAccessException ? "this process may not write there" : "the disk is full, read-only or broken");
        _failing = true;
    }

    private static bool IsOfTheDisk(Exception e) => e is IOException or UnauthorizedAccessException;

    /// <summary>Without it the new name may be lost with the power (fsync(2)). A file system that cannot do it does without.</summary>
    private static void Persist(string directory)
    {
        const int readOnlyAndNotInherited = 0x80000; // O_RDONLY | O_CLOEXEC
        var handle = Open(directory, readOnlyAndNotInherited);
        if (handle < 0)
            return;
        _ = Fsync(handle);
        _ = Close(handle);
    }

    [DllImport("libc", EntryPoint = "open")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", EntryPoint = "fsync")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Fsync(int handle);

    [DllImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Close(int handle);
}
