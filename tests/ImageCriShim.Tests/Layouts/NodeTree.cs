namespace ImageCriShim.Tests.Layouts;

/// <summary>The files of a node below a directory, as the node's own programs see them.</summary>
internal sealed class NodeTree(string root)
{
    public string Root => root;

    /// <summary>Where a file of the node lies on this machine, behind a link at the end of its path.</summary>
    public string At(string path)
    {
        const int linksAtMost = 40;
        for (var links = 0; links < linksAtMost && LinkOf(path) is { } target; links++)
            path = target.StartsWith('/') ? target : Path.GetFullPath(target, Path.GetDirectoryName(path)!);
        return root + path;
    }

    public string? LinkOf(string path) => new FileInfo(root + path).LinkTarget;

    public bool Has(string path) => File.Exists(At(path));

    public bool HasAnything(string path) => Path.Exists(At(path));

    public string? Read(string path) => Has(path) ? File.ReadAllText(At(path)) : null;

    /// <summary>The names in a directory that end so, in the order of their bytes; none where there is no such directory.</summary>
    public IReadOnlyList<string> List(string directory, params string[] ends) => !Directory.Exists(root + directory) ? [] :
        [.. new DirectoryInfo(root + directory).EnumerateFileSystemInfos().Select(entry => entry.Name)
            .Where(name => ends.Any(end => name.EndsWith(end, StringComparison.OrdinalIgnoreCase))).Order(StringComparer.Ordinal)];
}
