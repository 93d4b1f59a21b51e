using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.Kubelet;

/// <summary>
/// A Kubernetes cluster, started once for all tests with a real kubelet: a control plane, and a node for each containerd. Whatever host an
/// image names, the containerds ask <see cref="Origin"/>, unless it is a door.
/// </summary>
public sealed class Cluster : IAsyncLifetime
{
    private const string PauseImage = "lab/pause:1";

    private readonly Lab _lab = Lab.Make();
    private readonly ConcurrentDictionary<string, ClusterNode> _nodes = new();
    private int _names;

    /// <summary>A registry with a password.</summary>
    public LabRegistry Private { get; private set; } = null!;

    /// <summary>A registry without a password, which stands in for Docker Hub and every other host of the world.</summary>
    public LabRegistry Origin { get; private set; } = null!;

    internal ClusterApi Api { get; private set; } = null!;

    /// <summary>Names of the nodes.</summary>
    internal IEnumerable<string> NodeNames => _nodes.Values.Select(node => node.Name);

    public async ValueTask InitializeAsync()
    {
        var (guarded, open) = (LabRegistry.Start(_lab, "private", "admin:" + Secrets.OfPrivate), LabRegistry.Start(_lab, "origin"));
        (Private, Origin) = (await guarded, await open);
        await Origin.Push(PauseImage);
        var controlPlane = Lab.Run("cluster", "start", _lab.Directory);
        var installed = (await Lab.Run("versions")).Split('\n').Select(line => line.Split(' ')[0]);
        await Task.WhenAll(installed.Intersect(KubeletContainerds.All).Select(StartNode));
        Api = new ClusterApi(await controlPlane);
        await Task.WhenAll(_nodes.Values.Select(node => node.StartKubelet()));
        await Task.WhenAll(_nodes.Values.Select(node => Api.WaitFor($"/api/v1/nodes/{node.Name}", IsReady, "the node is ready")));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes.Values)
            await node.DisposeAsync();
        await _lab.DisposeAsync();
        Api?.Dispose();
    }

    /// <summary>The node of that containerd.</summary>
    internal ClusterNode NodeOn(string containerd)
    {
        Assert.SkipUnless(_nodes.ContainsKey(containerd), $"containerd {containerd} could not be installed");
        return _nodes[containerd];
    }

    /// <summary>A name that no other test uses, with a tag.</summary>
    internal string NewName() => $"team/app{Interlocked.Increment(ref _names)}:1.0";

    /// <summary>Gives a registry a new host name, which every containerd knows as plain http.</summary>
    internal Door OpenDoor(LabRegistry registry)
    {
        var door = new Door(registry);
        foreach (var node in _nodes.Values)
            RealNode.WriteHosts(Path.Combine(node.CertificatesDirectory, door.Host), door.Address);
        return door;
    }

    /// <summary>Runs this year's kubectl; its output.</summary>
    internal Task<string> Kubectl(params string[] arguments) => Lab.Run(["kubectl", _lab.Directory, .. arguments]);

    /// <summary>Runs this year's helm; its output.</summary>
    internal Task<string> Helm(params string[] arguments) => Lab.Run(["helm", _lab.Directory, .. arguments]);

    private static bool IsReady(JsonNode node) => node["status"]!["conditions"]!.AsArray()
        .Any(condition => (string?)condition!["type"] == "Ready" && (string?)condition["status"] == "True");

    private async Task StartNode(string containerd) =>
        _nodes[containerd] = await ClusterNode.Start(this, _lab.Directory, containerd, $"{Origin.Host}/{PauseImage}");
}

[CollectionDefinition]
public sealed class ClusterTests : ICollectionFixture<Cluster>;

/// <summary>The containerds that kubelet runs on: one that speaks its v1alpha2, and one for which the shim translates it.</summary>
public sealed class KubeletContainerds : TheoryData<string>
{
    public static readonly string[] All = ["1.6", "2"];

    public KubeletContainerds() => AddRange(All);
}
