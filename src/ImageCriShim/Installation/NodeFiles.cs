using System.IO.Enumeration;

namespace ImageCriShim.Installation;

/// <summary>
/// The files of a node: of this one, or of an image below a directory. Every path is the node's own, and a link leads to where it would if
/// that directory were the root: what is done to an image stays within it. Nothing is done to a path twice: it is opened, and what was
/// opened is looked at, read and changed.
/// </summary>
internal sealed class NodeFiles
{
    /// <summary>As large as settings and units may be.</summary>
    public const int MaxTextBytes = 4 * 1024 * 1024;

    /// <summary>As large as a program may be, which is some 20 MiB.</summary>
    public const int MaxFileBytes = 256 * 1024 * 1024;

    private const int ReadsAtMost = 100; // of a file that is replaced again and again

    private readonly string _root;
    private readonly RootDirectory _directory;

    // Of files that are looked at as they will be; empty for the files as they are.
    private readonly Dictionary<string, FileState> _changed = [];

    /// <param name="root">The directory of the image; <c>/</c> for this machine.</param>
    /// <param name="asksTheKernel">False: as where the kernel cannot look up below a directory.</param>
    public NodeFiles(string root, bool asksTheKernel = true)
    {
        _root = Path.GetFullPath(root).TrimEnd('/');
        _directory = RootDirectory.Open(_root, isImage: !IsThisMachine, asksTheKernel);
    }

    private NodeFiles(NodeFiles now) => (_root, _directory, _changed) = (now._root, now._directory, new(now._changed));

    /// <summary>For whoever looks at what may not be there, or not be read.</summary>
    public static T Try<T>(Func<T> look, T ifNot)
    {
        try
        {
            return look();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InstallException)
        {
            return ifNot;
        }
    }

    /// <summary>Not an image.</summary>
    public bool IsThisMachine => _root.Length == 0;

    /// <summary>The same files as they will be after changes that have not been made yet. Links and directories are those of now.</summary>
    public NodeFiles After(IEnumerable<FileChange> changes)
    {
        var after = new NodeFiles(this);
        foreach (var change in changes)
            after._changed[change.Path] = change.After;
        return after;
    }

    /// <summary>The directory that holds a path, to do something to it there.</summary>
    /// <exception cref="IOException">It is not there.</exception>
    public NodeDirectory OpenDirectoryOf(string path) => TryOpenDirectoryOf(path) ?? throw new DirectoryNotFoundException();

    /// <summary>Where an operator finds it.</summary>
    public string NameOf(string path) => path == "/" ? $"{_root}/" : _root + path;

    /// <summary>The path without links on its way, and without one at its end.</summary>
    public string Resolve(string path) => Follow(path, toTheEnd: true);

    /// <summary>The path without links on its way; at its end may stand one.</summary>
    public string ResolveParent(string path) => Follow(path, toTheEnd: false);

    /// <summary>Whether there is a file, or what a link to one leads to.</summary>
    public bool HasFile(string path) =>
        Resolve(path) is var resolved && _changed.TryGetValue(resolved, out var changed) ? changed.Content is not null : IdentifyResolved(resolved) is { IsDirectory: false };

    public bool HasDirectory(string path) => Identify(path) is { IsDirectory: true };

    /// <summary>What a path leads to; null where there is nothing.</summary>
    public FileIdentity? Identify(string path) => IdentifyResolved(Resolve(path));

    /// <summary>The files in a directory that match, in the order of their names; none where there is no such directory.</summary>
    public IEnumerable<string> List(string directory, string pattern)
    {
        var resolved = Resolve(directory);
        var names = NamesIn(resolved, pattern).Where(name => !HasDirectory($"{resolved}/{name}"));
        var changed = _changed.Keys.Where(path => Path.GetDirectoryName(path) == resolved).Select(path => Path.GetFileName(path)).Where(name => Matches(pattern, name));
        return names.Union(changed).Where(name => !_changed.TryGetValue($"{resolved}/{name}", out var state) || !state.IsAbsent)
            .Select(name => $"{directory}/{name}").Order(StringComparer.Ordinal);
    }

    /// <summary>The directories in a directory, in the order of their names; none where there is no such directory.</summary>
    public IEnumerable<string> ListDirectories(string directory, string pattern) => Resolve(directory) is var resolved
        ? NamesIn(resolved, pattern).Where(name => HasDirectory($"{resolved}/{name}")).Select(name => $"{directory}/{name}").Order(StringComparer.Ordinal)
        : [];

    /// <summary>Whatever is in a directory, of now; nothing where there is no such directory.</summary>
    public IReadOnlyList<string> NamesIn(string directory, string pattern = "*")
    {
        using var found = _directory.TryOpen(directory);
        using var entry = found?.Find(".");
        return entry is { Identity.IsDirectory: true } ? [.. found!.Names.Where(name => Matches(pattern, name))] : [];
    }

    /// <summary>What stands there.</summary>
    /// <param name="path">Resolved; a link at its end is read as one.</param>
    /// <param name="maxBytes">Of a file.</param>
    /// <exception cref="InstallException"/>
    public FileState Read(string path, int maxBytes = MaxFileBytes)
    {
        if (_changed.TryGetValue(path, out var changed))
            return changed;
        for (var tries = 1; ; tries++)
        {
            if (TryRead(path, maxBytes, isLastTry: tries == ReadsAtMost) is { } state)
                return state;
        }
    }

    /// <returns>Null: something else was put there meanwhile.</returns>
    private FileState? TryRead(string path, int maxBytes, bool isLastTry)
    {
        using var directory = TryOpenDirectoryOf(path);
        using var entry = directory?.Find(NameIn(path));
        if (entry is null)
            return FileState.Absent;
        if (entry.LinkTarget is { } target)
            return FileState.LinkTo(target);
        if (entry.Identity.IsDirectory)
            throw new InstallException($"{path} is a directory; a file must stand there");
        if (entry.Identity.WhyNoFile is { } why)
            throw new InstallException($"{path} {why}; a unit that is masked: systemctl unmask");
        using var file = directory!.Open(NameIn(path));
        if (!isLastTry && !entry.IsOpenAs(file))
            return null;
        try
        {
            return entry.Read(file, maxBytes) ?? throw new InstallException($"{path} is larger than {maxBytes / 1024 / 1024} MiB; is it the right file?");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InstallException($"{path} cannot be read by this process; run as root");
        }
    }

    private FileIdentity? IdentifyResolved(string path)
    {
        using var entry = Find(path);
        return entry?.Identity;
    }

    private NodeEntry? Find(string path)
    {
        using var directory = TryOpenDirectoryOf(path);
        return directory?.Find(NameIn(path));
    }

    private static string NameIn(string path) => path == "/" ? "." : Path.GetFileName(path);

    private NodeDirectory? TryOpenDirectoryOf(string path) =>
        path == "/" || Path.GetFileName(path) is not ("" or "." or "..")
            ? _directory.TryOpen(Path.GetDirectoryName(path) ?? "/")
            : throw new InstallException($"{path} is no file of {_root}");

    private static bool Matches(string pattern, string name) => FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false);

    private string Follow(string path, bool toTheEnd)
    {
        const int linksAtMost = 40; // as the kernel follows (path_resolution(7))
        var names = new Stack<string>(Names(path).Reverse());
        var at = new List<string>();
        for (var links = 0; names.TryPop(out var name);)
        {
            if (name == "..")
            {
                at.RemoveRange(Math.Max(0, at.Count - 1), Math.Min(1, at.Count));
                continue;
            }

            at.Add(name);
            if (names.Count == 0 && !toTheEnd || TargetOf(Join(at)) is not { } target)
                continue;
            if (++links > linksAtMost)
                throw new InstallException($"{path}: its links lead in a circle; mend them");
            at.RemoveRange(target.StartsWith('/') ? 0 : at.Count - 1, target.StartsWith('/') ? at.Count : 1);
            foreach (var next in Names(target).Reverse())
                names.Push(next);
        }

        return Join(at);
    }

    private string? TargetOf(string path)
    {
        using var entry = Find(path);
        return entry?.LinkTarget;
    }

    private static string Join(List<string> names) => $"/{string.Join('/', names)}";

    private static IEnumerable<string> Names(string path) => path.Split('/').Where(name => name is not ("" or "."));
}
