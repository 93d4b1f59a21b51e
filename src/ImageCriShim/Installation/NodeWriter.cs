using System.Runtime.InteropServices;

namespace ImageCriShim.Installation;

/// <summary>
/// Changes a node's files so that each is either whole or as it was: written beside, put onto the disk, renamed, and the directory put onto
/// the disk, too.
/// </summary>
/// <param name="beforeStep">Is told of each step that an interruption could come before.</param>
internal sealed partial class NodeWriter(NodeFiles files, Action<string>? beforeStep = null)
{
    private const string Unfinished = ".image-cri-shim-unfinished";
    private const UnixFileMode PublicDirectory = FileState.Program;

    /// <summary>Makes a file or a link as it should be, in place of what is there.</summary>
    /// <exception cref="InstallException"/>
    public void Put(string path, FileState state) => Do("write", path, () =>
    {
        var unfinished = UnfinishedOf(path);
        RemoveUnfinished(path);
        if (state.Link is { } target)
            File.CreateSymbolicLink(unfinished, target);
        else
            WriteFile(unfinished, state);
        Step("rename", path);
        File.Move(unfinished, files.Locate(path), overwrite: true);
        LibC.PersistDirectory(Path.GetDirectoryName(unfinished)!);
    });

    /// <exception cref="InstallException"/>
    public void Remove(string path) => Do("remove", path, () =>
    {
        File.Delete(files.Locate(path));
        LibC.PersistDirectory(Path.GetDirectoryName(files.Locate(path))!);
    });

    /// <summary>What a run that was killed may have left beside a file.</summary>
    public void RemoveUnfinished(string path)
    {
        if (new FileInfo(UnfinishedOf(path)) is { Exists: true } or { LinkTarget: not null })
            Do("remove what is unfinished of", path, () => File.Delete(UnfinishedOf(path)));
    }

    /// <summary>The directories on the way to a path that are not there, the outermost first.</summary>
    public IReadOnlyList<string> MissingAbove(string path)
    {
        var missing = new Stack<string>();
        for (var above = Path.GetDirectoryName(path); above is not null and not "/" && !Directory.Exists(files.Locate(above)); above = Path.GetDirectoryName(above))
            missing.Push(above);
        return [.. missing];
    }

    /// <exception cref="InstallException"/>
    public void MakeDirectory(string path, UnixFileMode mode = PublicDirectory) => Do("make", path, () =>
    {
        Directory.CreateDirectory(files.Locate(path), mode);
        files.ForgetDirectories();
        LibC.PersistDirectory(Path.GetDirectoryName(files.Locate(path))!);
    });

    /// <summary>Only if there is nothing in it.</summary>
    /// <exception cref="InstallException"/>
    public void RemoveDirectoryIfEmpty(string path)
    {
        if (Directory.Exists(files.Locate(path)) && !Directory.EnumerateFileSystemEntries(files.Locate(path)).Any())
            Do("remove", path, () => Directory.Delete(files.Locate(path)));
        files.ForgetDirectories();
    }

    private static void WriteFile(string unfinished, FileState state)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = FileState.Private };
        using (var file = new FileStream(unfinished, options))
        {
            file.Write(state.Content);
            if (state.Owner is { } owner && Chown(unfinished, owner.User, owner.Group) != 0)
                throw new UnauthorizedAccessException();
            File.SetUnixFileMode(unfinished, state.Mode & FileState.Rights); // last: chown(2) takes away what gives others rights
            file.Flush(flushToDisk: true);
        }

        if (state.Modified is { } modified)
            File.SetLastWriteTimeUtc(unfinished, modified);
    }

    private void Do(string verb, string path, Action change)
    {
        Step(verb, path);
        try
        {
            change();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InstallException($"cannot {verb} {path}: {Why(e)}");
        }
    }

    private void Step(string verb, string path) => beforeStep?.Invoke($"{verb} {path}");

    private string UnfinishedOf(string path) => files.Locate($"{Path.GetDirectoryName(path)!.TrimEnd('/')}/.{Path.GetFileName(path)}{Unfinished}");

    private static string Why(Exception e) => e switch
    {
        { HResult: 28 or 122 } => "the disk is full, or this process's share of it; make room", // ENOSPC, EDQUOT
        { HResult: 30 } => "its file system is read-only; mount it writable", // EROFS
        DirectoryNotFoundException => "its directory is not there",
        UnauthorizedAccessException => "this process may not; run as root, and see whether the file system is read-only or the file immutable",
        _ => "the disk does not do it",
    };

    [LibraryImport(LibC.Name, EntryPoint = "chown", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Chown(string path, uint user, uint group);
}
