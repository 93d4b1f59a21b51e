namespace ImageCriShim.Configuration;

/// <summary>
/// Which files the settings are read from, and of each the file that it really is and when something was done to it
/// (docs/decisions/0008-look-for-changes.md).
/// </summary>
internal sealed class ConfigIdentity
{
    private readonly List<ReadFrom> _files;

    private readonly string? _problem;

    private ConfigIdentity(string path)
    {
        string[] paths = [path, .. DropIns.Find(path, out _problem)];
        _files = [.. paths.Select(file => new ReadFrom(file, FileIdentity.Find(file)))];
    }

    /// <summary>Throws nothing: a file that is not there is one that is not there.</summary>
    public static ConfigIdentity Look(string path) => new(path);

    /// <summary>Whether there is nothing new to read.</summary>
    public bool IsSameAs(ConfigIdentity? other) => other is not null && _problem == other._problem && _files.SequenceEqual(other._files);

    /// <param name="File">Null: it is not there.</param>
    private sealed record ReadFrom(string Path, FileIdentity? File); // no tuple: lists of these are compiled at every start
}
