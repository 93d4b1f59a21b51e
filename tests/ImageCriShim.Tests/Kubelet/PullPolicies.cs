using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.Kubelet;

[Collection<ClusterTests>]
[Trait("suite", "kubelet")]
public sealed class PullPolicies(Cluster cluster)
{
    [Theory, ClassData<KubeletContainerds>]
    public async Task With_IfNotPresent_a_second_pod_asks_no_registry(string containerd)
    {
        await using var offline = cluster.OpenDoor(cluster.Private);
        var (node, name) = (await NodeBehind(offline, containerd), cluster.NewName());
        await cluster.Private.Push(name);
        await using var first = await node.Run(name);
        await first.Ready();
        var connections = (offline.Connections, offline.Requests.Count);

        await using var second = await node.Run(name);

        (await second.Ready()).ImageId.ShouldBe((await first.Now()).ImageId);
        (offline.Connections, offline.Requests.Count).ShouldBe(connections);
    }

    [Theory, ClassData<KubeletContainerds>]
    public async Task With_Always_a_second_pod_gets_what_the_tag_has_become(string containerd)
    {
        await using var offline = cluster.OpenDoor(cluster.Private);
        var (node, name) = (await NodeBehind(offline, containerd), cluster.NewName());
        await cluster.Private.Push(name, TestImage.MakeServing("the old one"));
        await using var first = await node.Run(name, "Always");
        (await first.Page()).ShouldBe("the old one");
        var moved = await cluster.Private.Push(name, TestImage.MakeServing("the new one"));

        await using var second = await node.Run(name, "Always");

        (await second.Page()).ShouldBe("the new one");
        (await second.Now()).ImageId.ShouldEndWith($"@{moved.Digest}");
        (await first.Page()).ShouldBe("the old one");
    }

    [Theory, ClassData<KubeletContainerds>]
    public async Task With_Never_an_absent_image_is_not_pulled(string containerd)
    {
        await using var offline = cluster.OpenDoor(cluster.Private);
        var (node, name) = (await NodeBehind(offline, containerd), cluster.NewName());
        await cluster.Private.Push(name);

        await using var pod = await node.Run(name, "Never");

        (await pod.WaitsFor("ErrImageNeverPull")).ShouldContain("is not present");
        offline.Requests.ShouldBeEmpty();
    }

    [Theory, ClassData<KubeletContainerds>]
    public async Task With_Never_a_present_image_is_run(string containerd)
    {
        await using var offline = cluster.OpenDoor(cluster.Private);
        var (node, name) = (await NodeBehind(offline, containerd), cluster.NewName());
        await cluster.Private.Push(name);
        await using (var caller = await node.Connect())
            (await caller.Pull(name)).ShouldBeOk();
        var requests = offline.Requests.Count;

        await using var pod = await node.Run(name, "Never");

        await pod.Ready();
        offline.Requests.Count.ShouldBe(requests);
    }

    private async Task<ClusterNode> NodeBehind(Door offline, string containerd)
    {
        var node = cluster.NodeOn(containerd);
        await node.Configure(offline.Address, $"auth: {offline.Auth}\nofflineOnly: true");
        return node;
    }
}
