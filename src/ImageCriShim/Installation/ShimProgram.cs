namespace ImageCriShim.Installation;

/// <summary>This program at the place that the unit starts it from.</summary>
internal sealed class ShimProgram(NodeFiles files)
{
    public const string Path = "/usr/bin/image-cri-shim";
    private const string PackageList = "/var/lib/dpkg/info/image-cri-shim.list";

    /// <param name="running">The file that is running now.</param>
    /// <returns>Null where a package keeps it.</returns>
    public FileChange? Change(string running)
    {
        var path = files.Resolve(Path);
        if (IsOfAPackage && files.HasFile(path))
            return null;
        var before = files.Read(path);
        var content = File.ReadAllBytes(running);
        return new FileChange(path, before, before.IsAbsent ? FileState.File(content, FileState.Program) : before.With(content) with { Mode = before.Mode | FileState.Program }, ChangeOf.Shim);
    }

    private bool IsOfAPackage => files.HasFile(PackageList) && TextEdit.Read(files, PackageList).Text.Split('\n').Contains(Path);
}
