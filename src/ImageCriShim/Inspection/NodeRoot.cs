using ImageCriShim.Configuration;

namespace ImageCriShim.Inspection;

/// <summary>The files of the node, or of an image or chroot of one. What may not be read is as if it were not there.</summary>
/// <param name="directory">What <c>/</c> is there.</param>
internal sealed class NodeRoot(string directory)
{
    private const int MaxBytes = 4 * 1024 * 1024; // settings of other programs, which are some KiB

    /// <summary>Whether its processes are to be looked at as well.</summary>
    public bool IsThisNode { get; } = Path.GetFullPath(directory) == "/";

    /// <summary>Where a file of the node really is.</summary>
    public string At(string path) => IsThisNode ? path : Path.Combine(Path.GetFullPath(directory), path.TrimStart('/'));

    public bool Has(string path) => Path.Exists(At(path));

    /// <returns>Null where there is none, or none that can be read.</returns>
    public string? Read(string path)
    {
        try
        {
            return File.Exists(At(path)) ? TextFile.Read(At(path), MaxBytes) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Of a directory, in the order of their names.</summary>
    /// <param name="pattern">Such as <c>*.conf</c>.</param>
    /// <returns>As paths of the node.</returns>
    public IReadOnlyList<string> Files(string path, string pattern)
    {
        try
        {
            return Directory.Exists(At(path))
                ? [.. Directory.EnumerateFiles(At(path), pattern).Select(file => $"{path}/{Path.GetFileName(file)}").Order(StringComparer.Ordinal)]
                : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
