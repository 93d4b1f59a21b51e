using ImageCriShim.Installation;

namespace ImageCriShim.Inspection;

/// <summary>The files of the node, or of an image or chroot of one. What may not be read is as if it were not there.</summary>
/// <param name="files">The same, where that matters.</param>
internal sealed class NodeRoot(NodeFiles files)
{
    public NodeFiles Files => files;

    /// <summary>Whether its processes are to be looked at as well.</summary>
    public bool IsThisNode => files.IsThisMachine;

    /// <summary>Where an operator finds a file of the node.</summary>
    public string At(string path) => files.NameOf(path);

    public bool Has(string path) => NodeFiles.Try(() => files.Identify(path) is not null, ifNot: false);

    /// <returns>Null where there is none, or none that can be read.</returns>
    public string? Read(string path) => NodeFiles.Try(() => files.Read(files.Resolve(path), NodeFiles.MaxTextBytes).Text, ifNot: null);

    /// <summary>The files of a directory that match, in the order of their names.</summary>
    /// <param name="pattern">Such as <c>*.conf</c>.</param>
    /// <returns>As paths of the node.</returns>
    public IReadOnlyList<string> List(string path, string pattern) => NodeFiles.Try<IReadOnlyList<string>>(() => [.. files.List(path, pattern)], ifNot: []);
}
