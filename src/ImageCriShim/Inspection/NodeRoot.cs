using ImageCriShim.Configuration;
using ImageCriShim.Installation;

namespace ImageCriShim.Inspection;

/// <summary>The files of the node, or of an image or chroot of one. What may not be read is as if it were not there.</summary>
/// <param name="files">The same, where that matters.</param>
internal sealed class NodeRoot(NodeFiles files)
{
    private const int MaxBytes = 4 * 1024 * 1024; // settings of other programs, which are some KiB

    public NodeFiles Files => files;

    /// <summary>Whether its processes are to be looked at as well.</summary>
    public bool IsThisNode => files.IsThisMachine;

    /// <summary>Where an operator finds a file of the node.</summary>
    public string At(string path) => files.NameOf(path);

    public bool Has(string path) => Try(() => Path.Exists(files.Locate(files.Resolve(path))), ifNot: false);

    /// <returns>Null where there is none, or none that can be read.</returns>
    public string? Read(string path) => Try(() => files.HasFile(path) ? TextFile.Read(files.Locate(files.Resolve(path)), MaxBytes) : null, ifNot: null);

    /// <summary>The files of a directory that match, in the order of their names.</summary>
    /// <param name="pattern">Such as <c>*.conf</c>.</param>
    /// <returns>As paths of the node.</returns>
    public IReadOnlyList<string> List(string path, string pattern) => Try<IReadOnlyList<string>>(() => [.. files.List(path, pattern)], ifNot: []);

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
