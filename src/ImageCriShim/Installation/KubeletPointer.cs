namespace ImageCriShim.Installation;

/// <summary>How this node's kubelet is told where its runtime is, and how it is told of us instead.</summary>
internal abstract class KubeletPointer(NodeFiles files, SystemdUnits units)
{
    protected const string RuntimeFlag = "container-runtime-endpoint";
    protected const string ImageFlag = "image-service-endpoint";

    protected NodeFiles Files => files;

    protected SystemdUnits Units => units;

    /// <summary>The unit that is to be restarted for it.</summary>
    public abstract string Service { get; }

    /// <summary>Whether there is a kubelet on this node at all.</summary>
    public abstract bool IsThere { get; }

    /// <summary>Where kubelet is told which socket to call, the place that is in force; null where nothing says.</summary>
    public abstract ToldSocket? Told { get; }

    /// <summary>The socket of the runtime that kubelet has without us; null where nothing says.</summary>
    public abstract string? Runtime { get; }

    /// <summary>What is to be written so that kubelet calls that socket. What need not change is among it unchanged.</summary>
    /// <exception cref="InstallException">It is told in a way that we cannot change.</exception>
    public abstract IEnumerable<TextEdit> PointAt(string socket);

    public static KubeletPointer Find(NodeFiles files)
    {
        var units = new SystemdUnits(files);
        var rancher = RancherDistribution.All.FirstOrDefault(one => files.HasDirectory(one.Directory) || one.Services.Any(service => units.Find(service) is not null));
        return rancher is null ? new Kubelet(files, units) : new RancherKubelet(files, units, rancher);
    }

    protected TextEdit Edit(string path) => TextEdit.Read(files, path);
}
