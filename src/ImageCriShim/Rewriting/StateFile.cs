using Microsoft.Extensions.Logging;

namespace ImageCriShim.Rewriting;

/// <summary>
/// A file in the state directory. It is either whole or as it was before: written beside, put onto the disk, renamed.
/// Nothing here throws for what a disk can do.
/// </summary>
internal sealed class StateFile<T>(StateFormat<T> format, StateDirectory directory, ILogger log)
{
    private const int MaxBytes = 16 * 1024 * 1024; // all pulls that the record may hold, each as long as it may be, and then some
    private const UnixFileMode OwnersOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private const string Unfinished = ".new";

    private readonly string _path = Path.Combine(directory.Path, format.File);

    /// <summary>What was kept before; what cannot be read is set aside.</summary>
    /// <returns>Null where there was nothing that could be used.</returns>
    public IReadOnlyList<T>? Load()
    {
        try
        {
            directory.Prepare();
            RemoveUnfinished();
            if (FileIdentity.Find(_path) is null)
                return null; // without an exception, which a first start would take milliseconds for
            var problem = StateAccess.FindStranger(_path) is { } stranger ? $"it {stranger}" : null;
            if (problem is null && TryRead(out problem) is { } entries)
                return entries;
            if (problem is not null)
                SetAside(problem);
            return null;
        }
        catch (Exception e) when (IsOfTheDisk(e))
        {
            directory.Fails(e);
            return null;
        }
    }

    /// <summary>Looks and leaves everything as it is.</summary>
    /// <param name="problem">What is wrong with the file; null where there is none, or nothing wrong with it.</param>
    /// <exception cref="IOException"/>
    /// <exception cref="UnauthorizedAccessException"/>
    public IReadOnlyList<T>? TryRead(out string? problem)
    {
        problem = null;
        try
        {
            using var file = RegularFile.OpenRead(_path); // what may not be read does not even seem to exist
            if (file.Length > MaxBytes)
            {
                problem = $"it is larger than {MaxBytes / 1024 / 1024} MiB";
                return null;
            }

            var text = new byte[file.Length];
            file.ReadExactly(text);
            return format.TryRead(text, out problem);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (NotAFileException e)
        {
            problem = $"it {e.Message}";
            return null;
        }
    }

    /// <summary>Takes the place of the file. Blocks for as long as the disk does.</summary>
    /// <param name="entries">All that is to be kept.</param>
    /// <param name="isOurs">Is asked when everything is written, just before the file is replaced: whether this process still keeps it. Null: it does.</param>
    /// <returns>False where it could not be written, which the directory tells of, or is no longer to be.</returns>
    public bool TrySave(IEnumerable<T> entries, Func<bool>? isOurs = null)
    {
        // Nobody else's: two processes on one directory must not rename what the other one is writing.
        var unfinished = $"{_path}.{Guid.NewGuid():N}{Unfinished}";
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnersOnly };
            using (var file = new FileStream(unfinished, options))
            {
                file.Write(format.Write(entries).Span);
                file.Flush(flushToDisk: true);
                if (isOurs?.Invoke() is false)
                {
                    File.Delete(unfinished);
                    return false;
                }

                File.Move(unfinished, _path, overwrite: true); // while it is open, and therefore locked: see RemoveUnfinished
            }

            directory.Persist();
            directory.Works();
            return true;
        }
        catch (Exception e) when (IsOfTheDisk(e))
        {
            TryDelete(unfinished); // a disk that is full needs the room
            directory.Fails(e);
            return false;
        }
    }

    /// <summary>
    /// What processes have left that were killed while they wrote. One that still writes has it open, which .NET marks with a shared lock
    /// (flock(2)): who asks for it alone is refused. The lock ends with the process, however it does.
    /// </summary>
    private void RemoveUnfinished()
    {
        foreach (var left in Directory.EnumerateFiles(directory.Path, $"{format.File}.*{Unfinished}"))
        {
            try
            {
                using (new FileStream(left, FileMode.Open, FileAccess.ReadWrite, FileShare.None))
                    File.Delete(left);
            }
            catch (Exception e) when (IsOfTheDisk(e))
            {
                // Somebody is writing it, or nothing can be written here at all, which the next writing tells of.
            }
        }
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (IsOfTheDisk(e))
        {
            // The next start removes it.
        }
    }

    /// <summary>One is kept, the last: it is for people to look at.</summary>
    private void SetAside(string problem)
    {
        var aside = _path + ".unusable";
        File.Move(_path, aside, overwrite: true);
        Log.StateSetAside(log, format.What, _path, problem, aside);
    }

    private static bool IsOfTheDisk(Exception e) => e is IOException or UnauthorizedAccessException;
}
