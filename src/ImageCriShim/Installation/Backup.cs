namespace ImageCriShim.Installation;

/// <summary>
/// What is needed to undo an installation, and to complete one that was interrupted: it is on the disk before the first change. The files
/// are root's alone, since what is kept may hold secrets.
/// </summary>
internal sealed class Backup
{
    public const string Place = "/var/lib/image-cri-shim/install";

    private const UnixFileMode OwnersDirectory = FileState.Private | UnixFileMode.UserExecute;

    private readonly NodeFiles _files;
    private readonly NodeWriter _writer;
    private readonly string _place;

    public Backup(NodeFiles files, NodeWriter writer)
    {
        (_files, _writer, _place) = (files, writer, files.Resolve(Place));
        State = Path.GetDirectoryName(_place)!;
        if (_files.Read(Manifest) is { Content: { } manifest })
            BackupManifest.Read(manifest, this, name => _files.Read($"{_place}/{name}").Content ?? throw new InstallException($"{_place}/{name} is missing; restore it, or undo the installation by hand"));
    }

    /// <summary>The state directory, which the daemon uses, too.</summary>
    public string State { get; }

    public List<BackupEntry> Entries { get; } = [];

    /// <summary>Directories that were not there before, the outermost first.</summary>
    public List<string> Directories { get; } = [];

    /// <summary>Commands of an installation that have not all been run yet.</summary>
    public List<string> Pending { get; set; } = [];

    /// <summary>The socket of the runtime behind us; null where it is not known.</summary>
    public string? Runtime { get; set; }

    /// <summary>Our socket, of which kubelet was told; null where an older release has written the backup.</summary>
    public string? Shim { get; set; }

    public bool IsThere => !_files.Read(Manifest).IsAbsent;

    /// <summary>Of a run that was killed before it had changed anything nothing but our own directory is left, or not even that.</summary>
    private bool IsLeftHalfMade => !IsThere && _files.NamesIn(State).All(name => name == Path.GetFileName(_place));

    private string Manifest => $"{_place}/manifest.json";

    public void Add(IEnumerable<FileChange> changes)
    {
        foreach (var change in changes)
        {
            var known = Entries.FindIndex(entry => entry.Path == change.Path);
            if (known >= 0)
                Entries[known] = Entries[known].Again(change);
            else
                Entries.Add(BackupEntry.Of(change));
            Directories.AddRange(_writer.MissingAbove(change.Path).Except(Directories));
        }
    }

    /// <summary>Writes it down: the files first, then the manifest that names them.</summary>
    public void Save()
    {
        if (!_files.HasDirectory(State) || IsLeftHalfMade)
            Directories.AddRange(_writer.MissingAbove(_place).Append(State).Except(Directories));
        foreach (var missing in _writer.MissingAbove($"{_place}/"))
            _writer.MakeDirectory(missing, missing.StartsWith(State, StringComparison.Ordinal) ? OwnersDirectory : FileState.Program);
        var contents = new List<(string Name, byte[] Content)>();
        var manifest = BackupManifest.Write(this, contents);
        foreach (var (name, content) in contents.Where(file => !_files.HasFile($"{_place}/{file.Name}")))
            _writer.Put($"{_place}/{name}", FileState.File(content, FileState.Private));
        _writer.Put(Manifest, FileState.File(manifest, FileState.Private));
    }

    /// <summary>Removes it, its manifest first: without that there is nothing to undo.</summary>
    public void Remove()
    {
        var isOfAKilledRun = !IsThere;
        _writer.RemoveUnfinished(Manifest);
        if (IsThere)
            _writer.Remove(Manifest);
        foreach (var file in _files.List(_place, "*").ToList())
            _writer.Remove(file);
        _writer.RemoveDirectoryIfEmpty(_place);
        if (Directories.Contains(State) || isOfAKilledRun)
            _writer.RemoveDirectoryIfEmpty(State);
        foreach (var directory in Directories.Where(made => State.StartsWith($"{made}/", StringComparison.Ordinal)).Reverse())
            _writer.RemoveDirectoryIfEmpty(directory);
    }
}
