using System.Text.Json.Nodes;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.Kubelet;

[Collection<ClusterTests>]
[Trait("suite", "kubelet")]
public sealed class CollectingImages(Cluster cluster)
{
    [Theory, ClassData<KubeletContainerds>]
    public async Task Kubelet_removes_an_unused_image_that_the_shim_has_pulled_and_keeps_a_used_one(string containerd)
    {
        await using var offline = cluster.OpenDoor(cluster.Private);
        var (node, used, unused) = (cluster.NodeOn(containerd), cluster.NewName(), cluster.NewName());
        var (kept, removed) = (await cluster.Private.Push(used), await cluster.Private.Push(unused));
        await node.Configure(offline.Address, $"auth: {offline.Auth}\nofflineOnly: true");
        await using var caller = await node.Connect();
        (await caller.Pull(unused)).ShouldBeOk();
        await using var pod = node.RunStatic(used); // kubelet evicts no static pod
        var container = (await pod.Ready()).ContainerId;

        await node.StopKubelet();
        await node.StartKubelet(OnAFullDisk());
        try
        {
            await Wait.Until(async () => await caller.FindId(removed.Id) is null);
        }
        finally
        {
            await node.StopKubelet();
            await node.StartKubelet();
        }

        (await caller.FindId(unused)).ShouldBeNull();
        (await caller.FindId(used)).ShouldBe(kept.Id);
        (await pod.Ready()).ContainerId.ShouldBe(container);
        await using var again = await node.Run(unused);
        (await again.Ready()).ImageId.ShouldEndWith($"@{removed.Digest}"); // pulled anew
    }

    // By its thresholds kubelet would collect five minutes after its start. On a full disk it does so at once, and one that must be empty is full.
    private static JsonObject OnAFullDisk()
    {
        var wanted = $"{new DriveInfo(Path.GetTempPath()).TotalSize - (1 << 20)}";
        return new()
        {
            ["evictionHard"] = new JsonObject { ["nodefs.available"] = wanted, ["imagefs.available"] = wanted },
            ["imageMinimumGCAge"] = "1ms",
        };
    }
}
