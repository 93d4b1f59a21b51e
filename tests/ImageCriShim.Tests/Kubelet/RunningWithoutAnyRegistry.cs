using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.Kubelet;

[Collection<ClusterTests>]
[Trait("suite", "kubelet")]
public sealed class RunningWithoutAnyRegistry(Cluster cluster)
{
    [Theory, ClassData<KubeletContainerds>]
    public async Task An_image_on_the_node_is_run_whatever_the_policy(string containerd)
    {
        await using var offline = cluster.OpenDoor(cluster.Private);
        var (node, name) = (await NodeBehind(offline, containerd), cluster.NewName());
        await cluster.Private.Push(name, TestImage.MakeServing("still here"));
        await using (var earlier = await node.Run(name))
            await earlier.Ready();
        await offline.Shut();

        await using var ifNotPresent = await node.Run(name);
        await using var always = await node.Run(name, "Always");

        (await ifNotPresent.Page()).ShouldBe("still here");
        (await always.Page()).ShouldBe("still here");
    }

    [Theory, ClassData<KubeletContainerds>]
    public async Task Static_pods_start_after_everything_on_the_node_has_restarted(string containerd)
    {
        await using var offline = cluster.OpenDoor(cluster.Private);
        var (node, name) = (await NodeBehind(offline, containerd), cluster.NewName());
        await cluster.Private.Push(name, TestImage.MakeServing("still here"));
        await using (var earlier = node.RunStatic(name))
            await earlier.Ready();
        await offline.Shut();
        await node.StopKubelet();
        await node.KillShim();

        await using var pod = node.RunStatic(name);
        await node.RestartKubelet();

        (await pod.Page()).ShouldBe("still here");
    }

    [Theory, ClassData<KubeletContainerds>]
    public async Task Of_an_image_that_is_nowhere_kubectl_tells_which_registry_is_unreachable(string containerd)
    {
        await using var offline = cluster.OpenDoor(cluster.Private);
        var (node, name) = (await NodeBehind(offline, containerd), cluster.NewName());
        await offline.Shut();

        await using var pod = await node.Run(name);

        (await pod.WaitsFor("ErrImagePull", "ImagePullBackOff")).ShouldNotBeEmpty();
        var described = "";
        await Wait.Until(async () => // events come later than the status
            (described = await cluster.Kubectl("describe", "pod", pod.Name)).Contains("RegistryUnavailable: ", StringComparison.Ordinal));
        described.ShouldContain($"Failed to pull image \"{name}\"");
        described.ShouldContain($"{offline.Host}/{name} unreachable (connection refused)");
        Secrets.ShouldNotBeIn(described);
    }

    // On both nodes at once: kubelet tries again after ten seconds.
    [Fact]
    public async Task A_pod_that_waits_for_a_registry_starts_when_it_is_back()
    {
        await using var offline = cluster.OpenDoor(cluster.Private);
        offline.Behave = _ => DoorAnswer.Refuse(503);
        var name = cluster.NewName();
        await cluster.Private.Push(name);
        await using var first = await (await NodeBehind(offline, "1.6")).Run(name);
        await using var second = await (await NodeBehind(offline, "2")).Run(name);
        foreach (var pod in (ClusterPod[])[first, second])
            await pod.WaitsFor("ErrImagePull", "ImagePullBackOff");

        offline.Behave = _ => DoorAnswer.PassOn;

        foreach (var pod in (ClusterPod[])[first, second])
            (await pod.Ready()).Restarts.ShouldBe(0);
    }

    private async Task<ClusterNode> NodeBehind(Door offline, string containerd)
    {
        var node = cluster.NodeOn(containerd);
        await node.Configure(offline.Address, $"auth: {offline.Auth}\nofflineOnly: true");
        return node;
    }
}
