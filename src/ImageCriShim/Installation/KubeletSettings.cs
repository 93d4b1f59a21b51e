namespace ImageCriShim.Installation;

/// <summary>
/// kubelet's files of settings, YAML or JSON: the main one, over which the drop-ins of <c>--config-dir</c> are laid in the order of their names.
/// </summary>
internal sealed class KubeletSettings
{
    private const string RuntimeKey = "containerRuntimeEndpoint";
    private const string ImageKey = "imageServiceEndpoint";

    // Which kubeadm writes again over the main one at each upgrade.
    private const string InstanceFile = "/var/lib/kubelet/instance-config.yaml";

    private readonly List<TextEdit> _inForce;
    private readonly List<TextEdit> _instance;

    /// <param name="dropIns">A directory; null for none.</param>
    public KubeletSettings(NodeFiles files, string main, string? dropIns)
    {
        var paths = new[] { main }.Where(files.HasFile).Concat(dropIns is null ? [] : ListBelow(files, dropIns));
        _inForce = [.. paths.Select(path => TextEdit.Read(files, path)).DistinctBy(file => file.Path)];
        var instance = new[] { InstanceFile }.Where(files.HasFile).Select(path => TextEdit.Read(files, path));
        _instance = [.. instance.Where(file => !_inForce.Exists(one => one.Path == file.Path))];
    }

    public IReadOnlyList<TextEdit> Files => [.. _inForce, .. _instance];

    /// <summary>The place that is in force; null where nothing says.</summary>
    public ToldSocket? Runtime => _inForce.Select(file => YamlText.Socket(file, RuntimeKey)).OfType<ToldSocket>().LastOrDefault();

    /// <param name="runtime">Whether no flag says which runtime is called.</param>
    /// <param name="image">The same of images.</param>
    public IEnumerable<TextEdit> PointAt(string endpoint, bool runtime, bool image)
    {
        var isTold = _inForce.Exists(file => YamlText.Has(file, RuntimeKey));
        foreach (var file in Files)
        {
            var isMeant = runtime && (YamlText.Has(file, RuntimeKey) || (!isTold && file == Files[0]));
            var edited = isMeant ? YamlText.Point(file, RuntimeKey, endpoint) : file;
            yield return image && YamlText.Find(edited, ImageKey) is not null ? YamlText.Point(edited, ImageKey, endpoint) : edited;
        }
    }

    private static IEnumerable<string> ListBelow(NodeFiles files, string directory) =>
        files.List(directory, "*.conf").Concat(files.ListDirectories(directory, "*").SelectMany(below => ListBelow(files, below)))
            .Order(StringComparer.Ordinal);
}
