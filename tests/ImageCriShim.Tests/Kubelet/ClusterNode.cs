using System.Text.Json.Nodes;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.Kubelet;

/// <summary>A node of the cluster: containerd, the shim in front of it, and a kubelet that knows nothing but the shim.</summary>
internal sealed class ClusterNode : IAsyncDisposable
{
    private const string NoAddress = "http://127.0.0.1:1"; // nobody listens there

    private readonly TempDirectory _directory = new();
    private readonly Cluster _cluster;
    private readonly string _labDirectory;
    private readonly string _containerd;
    private readonly string _pauseImage;
    private int _pods;

    private ClusterNode(Cluster cluster, string labDirectory, string containerd, string pauseImage)
    {
        (_cluster, _labDirectory, _pauseImage) = (cluster, labDirectory, pauseImage);
        (_containerd, Name) = ($"containerd-{containerd}", $"node-{containerd}");
    }

    public string Name { get; }

    /// <summary>The directory where its containerd finds how to reach a registry.</summary>
    public string CertificatesDirectory => Path.Combine(_labDirectory, _containerd, "certs.d");

    /// <summary>The running shim.</summary>
    public ShimProcess Shim { get; private set; } = null!;

    private string ContainerdSocket => Path.Combine(_labDirectory, _containerd, "containerd.sock");

    public static async Task<ClusterNode> Start(Cluster cluster, string labDirectory, string containerd, string pauseImage)
    {
        var node = new ClusterNode(cluster, labDirectory, containerd, pauseImage);
        string[] options = ["--as", node._containerd, "--for-kubelet", "--pod-network", "--elsewhere", cluster.Origin.Address];
        await Lab.Run(["containerd", "start", labDirectory, containerd, pauseImage, .. options, cluster.Origin.Address]);
        await File.WriteAllTextAsync(node.ConfigFile, node.Settings(NoAddress, ""));
        await node.StartShim();
        return node;
    }

    /// <summary>Gives the shim other settings; it goes on running.</summary>
    /// <param name="address">Of the offline registry: another one than before.</param>
    /// <param name="yaml">More settings.</param>
    public async Task Configure(string address, string yaml = "")
    {
        const int SigHup = 1;
        await File.WriteAllTextAsync(_directory.File("new.yaml"), Settings(address, yaml));
        File.Move(_directory.File("new.yaml"), ConfigFile, overwrite: true);
        Shim.Signal(SigHup);
        await Wait.Until(() => Shim.Output.Contains($"address: added {address} "), Shim.Output);
    }

    /// <summary>Kills the shim and starts it again.</summary>
    public async Task KillShim()
    {
        const int SigKill = 9;
        Shim.Signal(SigKill);
        await Shim.Exited;
        await StartShim();
    }

    /// <summary>Waits until kubelet is connected to the shim for both services.</summary>
    /// <remarks>A pod that it starts before fails, and it tries that again only after ten seconds.</remarks>
    public Task KubeletIsConnected() => Wait.Until(() => File.ReadLines("/proc/net/unix").Count(IsConnectionToShim) >= 2);

    /// <param name="configuration">More of its configuration than the lab gives it.</param>
    public async Task StartKubelet(JsonObject? configuration = null) => await Lab.Run(
        "kubelet", "start", _labDirectory, "--as", Name, "--on", _containerd, "--cluster", "--runtime", Shim.SocketPath, "--image", Shim.SocketPath,
        "--pause", _pauseImage, "--set", configuration?.ToJsonString() ?? "{}");

    public async Task StopKubelet() => await Lab.Run("kubelet", "stop", _labDirectory, Name);

    public async Task RestartKubelet()
    {
        await StopKubelet();
        await Lab.Run("kubelet", "resume", _labDirectory, Name);
    }

    /// <summary>A caller of the shim.</summary>
    public Task<CriCaller> Connect() => CriCaller.Connect(Shim.SocketPath);

    /// <summary>A pod that the API server binds to this node.</summary>
    public async Task<ClusterPod> Run(string image, string policy = "IfNotPresent", string? secret = null)
    {
        var name = NewPodName();
        var manifest = ClusterPod.Manifest(name, image, policy);
        manifest["spec"]!["nodeName"] = Name;
        if (secret is not null)
            manifest["spec"]!["imagePullSecrets"] = new JsonArray(new JsonObject { ["name"] = secret });
        await _cluster.Api.Create("/api/v1/namespaces/default/pods", manifest);
        return new ClusterPod(_cluster.Api, name, manifestFile: null);
    }

    /// <summary>A pod whose manifest lies on this node.</summary>
    public ClusterPod RunStatic(string image)
    {
        var name = NewPodName();
        var manifests = Path.Combine(_labDirectory, Name, "manifests");
        var file = Path.Combine(manifests, $"{name}.json");
        var unread = Path.Combine(manifests, $".{name}"); // kubelet passes over a name with a dot
        File.WriteAllText(unread, ClusterPod.Manifest(name, image, "IfNotPresent").ToJsonString());
        File.Move(unread, file);
        return new ClusterPod(_cluster.Api, $"{name}-{Name}", file);
    }

    public async ValueTask DisposeAsync()
    {
        await StopKubelet();
        await Shim.DisposeAsync();
        _directory.Dispose();
    }

    private string ConfigFile => _directory.File("image-cri-shim.yaml");

    private string Settings(string address, string yaml) => $"""
        shim: {_directory.File("shim.sock")}
        cri: {ContainerdSocket}
        image: {_directory.File("state")}
        metrics: off
        address: {address}
        {yaml}

        """;

    private async Task StartShim()
    {
        Shim = ShimProcess.LaunchRaw(await File.ReadAllTextAsync(ConfigFile), [], _directory);
        await Shim.ReadyAsync();
        RegisterShim();
    }

    // In the form of lab/daemon.sh, so that the shim ends with the lab when this process is killed.
    private void RegisterShim()
    {
        var startTime = File.ReadAllText($"/proc/{Shim.Id}/stat").Split(") ")[1].Split(' ')[19]; // the 22nd field of proc(5)
        File.WriteAllText(Path.Combine(_labDirectory, "daemons", $"shim-{Name}"), $"{Shim.Id} {startTime}\n");
    }

    // Num RefCount Protocol Flags Type St Inode Path, where the path is the one that was bound: it has got its name since.
    private bool IsConnectionToShim(string line)
    {
        var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields is [_, _, _, _, _, "03", _, var path] && Path.GetDirectoryName(path) == _directory.Path && Path.GetExtension(path) == ".sock";
    }

    private string NewPodName() => $"pod{Interlocked.Increment(ref _pods)}-{_containerd.Replace('.', '-')}";
}
