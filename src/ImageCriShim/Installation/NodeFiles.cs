using System.IO.Enumeration;

namespace ImageCriShim.Installation;

/// <summary>
/// The files of a node: of this one, or of an image below a directory. Every path is the node's own, and a link leads to where it would if
/// that directory were the root: what is done to an image stays within it.
/// </summary>
internal sealed class NodeFiles
{
    private readonly string _root;

    // Null: this machine's own files, or a kernel that cannot look up below a directory. Paths are resolved here as well.
    private readonly ImageRoot? _image;

    // Of files that are looked at as they will be; empty for the files as they are.
    private readonly Dictionary<string, FileState> _changed = [];

    /// <param name="root">The directory of the image; <c>/</c> for this machine.</param>
    public NodeFiles(string root)
    {
        _root = Path.GetFullPath(root).TrimEnd('/');
        _image = IsThisMachine ? null : ImageRoot.TryOpen(_root);
    }

    private NodeFiles(NodeFiles now) => (_root, _image, _changed) = (now._root, now._image, new(now._changed));

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

    /// <summary>Where this process finds it; nothing outside of the image, whatever the path.</summary>
    /// <param name="path">Without links, as <see cref="Resolve"/> gives it.</param>
    public string Locate(string path) => path == "/" ? $"{_root}/" : _image?.Locate(path) ?? NameOf(path);

    /// <summary>Where an operator finds it.</summary>
    public string NameOf(string path) => path == "/" ? $"{_root}/" : _root + path;

    /// <summary>Directories have been made or removed.</summary>
    public void ForgetDirectories() => _image?.ForgetDirectories();

    /// <summary>The path without links on its way, and without one at its end.</summary>
    public string Resolve(string path) => Follow(path, toTheEnd: true);

    /// <summary>The path without links on its way; at its end may stand one.</summary>
    public string ResolveParent(string path) => Follow(path, toTheEnd: false);

    /// <summary>Whether there is a file, or what a link to one leads to.</summary>
    public bool HasFile(string path) => HasResolved(Resolve(path));

    public bool HasDirectory(string path) => Directory.Exists(Locate(Resolve(path)));

    /// <summary>The files in a directory that match, in the order of their names; none where there is no such directory.</summary>
    public IEnumerable<string> List(string directory, string pattern)
    {
        var resolved = Resolve(directory);
        var here = Locate(resolved);
        var names = Directory.Exists(here) ? Directory.EnumerateFiles(here, pattern).Select(file => Path.GetFileName(file)) : [];
        var changed = _changed.Keys.Where(path => Path.GetDirectoryName(path) == resolved).Select(path => Path.GetFileName(path))
            .Where(name => FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false));
        return names.Union(changed).Where(name => !_changed.TryGetValue($"{resolved}/{name}", out var state) || !state.IsAbsent)
            .Select(name => $"{directory}/{name}").Order(StringComparer.Ordinal);
    }

    /// <summary>The directories in a directory, in the order of their names; none where there is no such directory.</summary>
    public IEnumerable<string> ListDirectories(string directory, string pattern) => HasDirectory(directory)
        ? Directory.EnumerateDirectories(Locate(Resolve(directory)), pattern).Select(found => $"{directory}/{Path.GetFileName(found)}")
            .Order(StringComparer.Ordinal)
        : [];

    /// <summary>What stands there.</summary>
    /// <param name="path">Resolved; a link at its end is read as one.</param>
    /// <exception cref="InstallException"/>
    public FileState Read(string path)
    {
        if (_changed.TryGetValue(path, out var changed))
            return changed;
        var here = Locate(path);
        if (new FileInfo(here).LinkTarget is { } target)
            return FileState.LinkTo(target);
        if (FileIdentity.Find(here) is not { } found)
            return FileState.Absent;
        try
        {
            if (Directory.Exists(here))
                throw new InstallException($"{path} is a directory; a file must stand there");
            using var file = RegularFile.OpenRead(here);
            var content = new byte[file.Length];
            file.ReadExactly(content);
            return new FileState { Content = content, Mode = found.Mode, Owner = (found.User, found.Group), Modified = File.GetLastWriteTimeUtc(here) };
        }
        catch (NotAFileException e)
        {
            throw new InstallException($"{path} {e.Message}; a unit that is masked: systemctl unmask");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InstallException($"{path} cannot be read by this process; run as root");
        }
    }

    private bool HasResolved(string path) =>
        _changed.TryGetValue(path, out var changed) ? changed.Content is not null : File.Exists(Locate(path));

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
            if (names.Count == 0 && !toTheEnd || new FileInfo(Locate(Join(at))).LinkTarget is not { } target)
                continue;
            if (++links > linksAtMost)
                throw new InstallException($"{path}: its links lead in a circle; mend them");
            at.RemoveRange(target.StartsWith('/') ? 0 : at.Count - 1, target.StartsWith('/') ? at.Count : 1);
            foreach (var next in Names(target).Reverse())
                names.Push(next);
        }

        return Join(at);
    }

    private static string Join(List<string> names) => $"/{string.Join('/', names)}";

    private static IEnumerable<string> Names(string path) => path.Split('/').Where(name => name is not ("" or "."));
}
