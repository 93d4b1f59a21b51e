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

    public bool Has(string path) => Try(() => files.Identify(path) is not null, ifNot: false);

    /// <returns>Null where there is none, or none that can be read.</returns>
    public string? Read(string path) => Try(() => files.Read(files.Resolve(path), NodeFiles.MaxTextBytes).Content is { } content ? TextOf(content) : null, ifNot: null);

    /// <summary>The files of a directory that match, in the order of their names.</summary>
    /// <param name="pattern">Such as <c>*.conf</c>.</param>
    /// <returns>As paths of the node.</returns>
    public IReadOnlyList<string> List(string path, string pattern) => Try<IReadOnlyList<string>>(() => [.. files.List(path, pattern)], ifNot: []);

    private static string TextOf(byte[] content)
    {
        using var reader = new StreamReader(new MemoryStream(content)); // without a mark of the encoding at its beginning
        return reader.ReadToEnd();
    }

    private static T Try<T>(Func<T> look, T ifNot)
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
}
