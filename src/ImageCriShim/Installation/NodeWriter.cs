namespace ImageCriShim.Installation;

/// <summary>
/// Changes a node's files so that each is either whole or as it was: written beside, put onto the disk, renamed, and the directory put onto
/// the disk, too.
/// </summary>
/// <param name="beforeStep">Is told of each step that an interruption could come before.</param>
internal sealed class NodeWriter(NodeFiles files, Action<string>? beforeStep = null)
{
    private const string Unfinished = ".image-cri-shim-unfinished";
    private const UnixFileMode PublicDirectory = FileState.Program;

    /// <summary>Makes a file or a link as it should be, in place of what is there.</summary>
    /// <exception cref="InstallException"/>
    public void Put(string path, FileState state) => Do("write", path, directory =>
    {
        var (name, unfinished) = (Path.GetFileName(path), UnfinishedOf(path));
        RemoveUnfinished(path, directory);
        if (state.Link is { } target)
            directory.MakeLink(unfinished, target);
        else
            directory.WriteNew(unfinished, state);
        Step("rename", path);
        directory.Rename(unfinished, name);
        directory.Persist();
    });

    /// <exception cref="InstallException"/>
    public void Remove(string path) => Do("remove", path, directory =>
    {
        directory.Remove(Path.GetFileName(path));
        directory.Persist();
    });

    /// <summary>What a run that was killed may have left beside a file.</summary>
    public void RemoveUnfinished(string path)
    {
        if (files.HasDirectory(Path.GetDirectoryName(path)!))
            Do("look beside", path, directory => RemoveUnfinished(path, directory), isAStep: false);
    }

    /// <summary>The directories on the way to a path that are not there, the outermost first.</summary>
    public IReadOnlyList<string> MissingAbove(string path)
    {
        var missing = new Stack<string>();
        for (var above = Path.GetDirectoryName(path); above is not null and not "/" && !files.HasDirectory(above); above = Path.GetDirectoryName(above))
            missing.Push(above);
        return [.. missing];
    }

    /// <exception cref="InstallException"/>
    public void MakeDirectory(string path, UnixFileMode mode = PublicDirectory) => Do("make", path, directory =>
    {
        directory.MakeDirectory(Path.GetFileName(path), mode);
        directory.Persist();
    });

    /// <summary>Only if there is nothing in it.</summary>
    /// <exception cref="InstallException"/>
    public void RemoveDirectoryIfEmpty(string path)
    {
        if (files.HasDirectory(path) && files.NamesIn(path).Count == 0)
            Do("remove", path, directory => directory.TryRemoveDirectory(Path.GetFileName(path)));
    }

    private void RemoveUnfinished(string path, NodeDirectory directory)
    {
        using var entry = directory.Find(UnfinishedOf(path));
        if (entry is null)
            return;
        Step("remove what is unfinished of", path);
        directory.Remove(UnfinishedOf(path));
    }

    private void Do(string verb, string path, Action<NodeDirectory> change, bool isAStep = true)
    {
        if (isAStep)
            Step(verb, path);
        try
        {
            using var directory = files.OpenDirectoryOf(path);
            change(directory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InstallException($"cannot {verb} {path}: {Why(e)}");
        }
    }

    private void Step(string verb, string path) => beforeStep?.Invoke($"{verb} {path}");

    private static string UnfinishedOf(string path) => $".{Path.GetFileName(path)}{Unfinished}";

    private static string Why(Exception e) => e switch
    {
        { HResult: 28 or 122 } => "the disk is full, or this process's share of it; make room", // ENOSPC, EDQUOT
        { HResult: 30 } => "its file system is read-only; mount it writable", // EROFS
        DirectoryNotFoundException or { HResult: 2 or 20 } => "its directory is not there", // ENOENT, ENOTDIR
        UnauthorizedAccessException or { HResult: 1 or 13 } => "this process may not; run as root, and see whether the file system is read-only or the file immutable",
        _ => "the disk does not do it",
    };
}
