using ImageCriShim.Configuration;

namespace ImageCriShim.Installation;

/// <summary>
/// The settings of an image, which are read in the image: the config file, its directory of drop-ins and these themselves, wherever links within
/// the image lead. The files that they name are not opened: an image that is being built has its secrets later.
/// </summary>
internal sealed class ImageConfig(NodeFiles files)
{
    /// <summary>Never throws for what an image can cause, as <see cref="ConfigFile.Load"/>.</summary>
    /// <param name="path">In the image.</param>
    /// <param name="origins">Is told where everything was written.</param>
    public ConfigResult Load(string path, Origins? origins = null) => ConfigFile.Parse(Texts(path), Has, origins);

    /// <summary>Whether a file that the settings name is in the image.</summary>
    public bool Has(string path) => NodeFiles.Try(() => files.HasFile(path), ifNot: false);

    public bool HasFileOrDirectory(string path) => NodeFiles.Try(() => files.Identify(path) is not null, ifNot: false);

    /// <summary>Whether it is, and others than its owner and its group may read it.</summary>
    public bool IsOpenToAll(string path) => NodeFiles.Try(() => files.Identify(path) is { IsDirectory: false } found && IsOpenToAll(found.Mode), ifNot: false);

    private List<ConfigText> Texts(string path)
    {
        var directory = DropIns.DirectoryOf(path);
        var dropIns = NodeFiles.Try(() => files.List(directory, DropIns.Pattern).Where(DropIns.IsOurs).ToList(), ifNot: []);
        var main = Read(path, path);
        if (Has(directory)) // not as if there were none: their registries are missing
            main = main with { Problem = main.Problem ?? $"{directory} {DropIns.NoDirectory}" };
        return [main, .. dropIns.Select(file => Read(file, path))];
    }

    private ConfigText Read(string path, string configPath)
    {
        var name = ConfigFile.NameOf(path, configPath);
        try
        {
            var state = files.Read(files.Resolve(path), YamlFile.MaxBytes);
            return state.Text is null
                ? new ConfigText(path, name, Text: null, $"{path} does not exist", IsOpenToAll: false)
                : new ConfigText(path, name, state.Text, Problem: null, IsOpenToAll(state.Mode));
        }
        catch (InstallException e)
        {
            return new ConfigText(path, name, Text: null, e.Problems[0], IsOpenToAll: false);
        }
    }

    private static bool IsOpenToAll(UnixFileMode mode) => (mode & UnixFileMode.OtherRead) != 0;
}
