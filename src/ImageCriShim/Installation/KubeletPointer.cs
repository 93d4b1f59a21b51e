using System.Text.RegularExpressions;

namespace ImageCriShim.Installation;

/// <summary>How this node's kubelet is told where its runtime is, and how it is told of us instead.</summary>
internal abstract partial class KubeletPointer(NodeFiles files, SystemdUnits units, string service)
{
    protected const string RuntimeFlag = "container-runtime-endpoint";
    protected const string ImageFlag = "image-service-endpoint";

    protected NodeFiles Files => files;

    protected SystemdUnits Units => units;

    /// <summary>The unit that is to be restarted for it.</summary>
    public string Service => service;

    /// <summary>Whether there is a kubelet on this node at all.</summary>
    public abstract bool IsThere { get; }

    /// <summary>Where kubelet is told which socket to call, the place that is in force; null where nothing says.</summary>
    public abstract ToldSocket? Told { get; }

    /// <summary>The socket of the runtime that kubelet has without us; null where nothing says.</summary>
    public abstract string? Runtime { get; }

    /// <summary>What is to be written so that kubelet calls that socket. What need not change is among it unchanged.</summary>
    /// <exception cref="InstallException">It is told in a way that we cannot change.</exception>
    public abstract IEnumerable<TextEdit> PointAt(string socket);

    /// <summary>Every file that may tell kubelet a socket.</summary>
    public abstract IEnumerable<TextEdit> Sources { get; }

    public static KubeletPointer Find(NodeFiles files, Systemd systemd)
    {
        var units = new SystemdUnits(files);
        var (service, distribution) = KubeletUnit.Find(files, units, systemd);
        return distribution is null ? new Kubelet(files, units, service) : new RancherKubelet(files, units, service, distribution);
    }

    protected TextEdit Edit(string path) => TextEdit.Read(files, path);

    protected IEnumerable<TextEdit> UnitTexts() => units.Sources(service).Select(Edit);

    /// <summary>The files of variables that the unit reads.</summary>
    protected IEnumerable<string> VariableFiles() => UnitTexts().SelectMany(file => EnvironmentFile().Matches(file.Text))
        .Select(match => Expand(match.Groups["path"].Value)).Where(path => path.StartsWith('/'));

    /// <summary>The specifiers that stand for the unit's name (systemd.unit(5)).</summary>
    private string Expand(string path)
    {
        var name = Path.GetFileNameWithoutExtension(service);
        return path.Replace("%N", name, StringComparison.Ordinal).Replace("%p", name, StringComparison.Ordinal).Replace("%n", service, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"^[ \t]*EnvironmentFile=[""']?-?(?<path>[^\s*?\[""']+)[""']?[ \t]*\r?$", RegexOptions.Multiline)]
    private static partial Regex EnvironmentFile();
}
