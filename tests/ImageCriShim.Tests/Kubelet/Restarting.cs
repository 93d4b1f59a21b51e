using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.Kubelet;

[Collection<ClusterTests>]
[Trait("suite", "kubelet")]
public sealed class Restarting(Cluster cluster)
{
    [Theory, ClassData<KubeletContainerds>]
    public Task Pods_run_on_when_the_shim_is_killed_and_kubelet_finds_the_next_one(string containerd) =>
        PodsRunOn(containerd, node => node.KillShim());

    [Theory, ClassData<KubeletContainerds>]
    public Task Pods_run_on_when_kubelet_restarts(string containerd) => PodsRunOn(containerd, node => node.RestartKubelet());

    private async Task PodsRunOn(string containerd, Func<ClusterNode, Task> restart)
    {
        await using var offline = cluster.OpenDoor(cluster.Private);
        var (node, before, after) = (cluster.NodeOn(containerd), cluster.NewName(), cluster.NewName());
        await cluster.Private.Push(before, TestImage.MakeServing("before"));
        await cluster.Private.Push(after);
        await node.Configure(offline.Address, $"auth: {offline.Auth}\nofflineOnly: true");
        await using var ofApi = await node.Run(before);
        await using var ofNode = node.RunStatic(before);
        var containers = ((await ofApi.Ready()).ContainerId, (await ofNode.Ready()).ContainerId);

        await restart(node);
        await node.KubeletIsConnected();

        await using var next = await node.Run(after);
        await next.Ready(); // kubelet has looked at every pod again, and started a new one
        ((await ofApi.Ready()).ContainerId, (await ofNode.Ready()).ContainerId).ShouldBe(containers);
        ((await ofApi.Now()).Restarts, (await ofNode.Now()).Restarts).ShouldBe((0, 0));
        (await ofApi.Page()).ShouldBe("before");
        (await ofNode.Page()).ShouldBe("before");
    }
}
