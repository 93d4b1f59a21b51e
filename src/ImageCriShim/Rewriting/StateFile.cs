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

    private readonly string _path = Path.Combine(directory.Path, format.File);

    /// <summary>What was kept before; what cannot be read is set aside.</summary>
    /// <returns>Null where there was nothing that could be used.</returns>
    public IReadOnlyList<T>? Load()
    {
        try
        {
            Directory.CreateDirectory(directory.Path, OwnersOnly | UnixFileMode.UserExecute);
            if (TryRead(out var problem) is { } entries)
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
            using var file = File.OpenRead(_path); // what may not be read does not even seem to exist
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
    }

    /// <summary>Takes the place of the file. Blocks for as long as the disk does.</summary>
    /// <returns>False where it could not be written, which the directory tells of.</returns>
    public bool TrySave(IEnumerable<T> entries)
    {
        try
        {
            var unfinished = _path + ".new";
            File.Delete(unfinished); // left by a process that was killed while it wrote
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnersOnly };
            using (var file = new FileStream(unfinished, options))
            {
                file.Write(format.Write(entries).Span);
                file.Flush(flushToDisk: true);
            }

            File.Move(unfinished, _path, overwrite: true);
            directory.Persist();
            directory.Works();
            return true;
        }
        catch (Exception e) when (IsOfTheDisk(e))
        {
            directory.Fails(e);
            return false;
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
