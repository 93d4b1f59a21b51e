using System.Text.Json.Nodes;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Faults;

namespace ImageCriShim.Tests.BootedNode;

/// <summary>
/// The node's containerd with a container for exec probes, and the load of a kubelet on grpc-go: through the shim, or directly on containerd's
/// socket, which is what the shim is measured by.
/// </summary>
public sealed class ContainerdUnderLoad(DebianNode node) : IAsyncLifetime
{
    public const string KillContainerd = "systemctl kill --signal=KILL --kill-who=main containerd";

    /// <summary>After something has been killed: a second until systemd starts it again, and a moment in which it has served.</summary>
    private static readonly TimeSpan s_recovery = TimeSpan.FromSeconds(3);

    private string _pod = "";
    private string _container = "";
    private KubeletSums? _killed;

    public async ValueTask InitializeAsync()
    {
        await node.Restore();
        await node.Push("direct", "1", DebianNode.OpenRegistry);
        await node.Push("through", "1", DebianNode.OpenRegistry);
        await using var caller = await node.Connect();
        (await caller.Pull("nginx:1.25")).ShouldBeOk();
        _pod = await caller.RunPod("probed");
        _container = await caller.CreateContainer(_pod, "probed", "nginx:1.25");
        await caller.StartContainer(_container);
    }

    public async ValueTask DisposeAsync()
    {
        await using var caller = await node.Connect();
        await caller.StopPod(_pod);
        await caller.RemovePod(_pod);
        await node.RemoveImages();
    }

    /// <summary>Does something to containerd under the load of two kubelets at once: one without the shim, one through it.</summary>
    internal async Task<(KubeletSums Direct, KubeletSums Through)> Compare(string script)
    {
        await using var direct = await StartKubelet("/run/containerd/containerd.sock", "direct", []);
        await using var through = await StartKubelet([]);
        await node.Run(script);
        await Recover();
        var sums = (await direct.FinishAsync(), await through.FinishAsync());
        if (script == KillContainerd)
            _killed ??= sums.Item1;
        return sums;
    }

    /// <summary>What callers without the shim see when containerd is killed.</summary>
    internal async Task<KubeletSums> WhenContainerdIsKilled() => _killed ?? (await Compare(KillContainerd)).Direct;

    /// <summary>Starts a kubelet that calls the shim.</summary>
    internal Task<GoKubelet> StartKubelet(JsonObject load) => StartKubelet("/run/image-cri-shim.sock", "through", load);

    /// <summary>Waits until what was killed serves again; what a slow machine has not done by then counts as well.</summary>
    internal static Task Recover() => Task.Delay(s_recovery);

    private async Task<GoKubelet> StartKubelet(string socket, string image, JsonObject load)
    {
        load["container"] = _container;
        load["probe"] = RawConnection.Patience.TotalSeconds; // kubelet's second is about the machine
        load["subscribe"] = true;
        load["pulls"] = new JsonArray($"{DebianNode.OpenRegistry}/library/{image}:1");
        return await GoKubelet.StartAsync(Stack.Go, await node.PathOf(socket), load);
    }
}
