using ImageCriShim.Configuration;

namespace ImageCriShim.Installation;

/// <summary>What an installation knows of the runtime behind us, when it is to be undone.</summary>
/// <param name="Runtime">Its socket; null where nothing says.</param>
/// <param name="Shims">Our socket, under each name that it has had.</param>
internal sealed record RecordedSockets(string? Runtime, IReadOnlyList<string> Shims)
{
    /// <summary>Our own settings say what is in force; what was written down at the installation is next.</summary>
    public static RecordedSockets Find(NodeFiles files, Backup backup)
    {
        var settings = TryLoad(files);
        string?[] shims = [settings?.ShimSocket, backup.Shim, new ShimSettings { Registries = [] }.ShimSocket];
        return new RecordedSockets(settings?.RuntimeSocket ?? backup.Runtime, [.. shims.OfType<string>().Distinct()]);
    }

    /// <summary>Where neither says, the runtime that kubelet has without us, or the only one there is; null for none.</summary>
    public static string? FindOther(NodeFiles files, KubeletPointer pointer, IReadOnlyList<string> shims) =>
        new[] { pointer.Told?.Socket, pointer.Runtime }.OfType<string>().FirstOrDefault(told => !shims.Any(shim => Endpoint.AreSame(shim, told))) is { } other
            ? Endpoint.PathOf(other)
            : new RuntimeFinder(files, new SystemdUnits(files)).Find(out _);

    private static ShimSettings? TryLoad(NodeFiles files)
    {
        try
        {
            return new ShimConfig(files).Load();
        }
        catch (InstallException)
        {
            return null; // somebody has spoilt them since
        }
    }
}
