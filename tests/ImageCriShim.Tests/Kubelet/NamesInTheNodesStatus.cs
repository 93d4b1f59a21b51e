using System.Text.Json.Nodes;
using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.Kubelet;

[Collection<ClusterTests>]
[Trait("suite", "kubelet")]
public sealed class NamesInTheNodesStatus(Cluster cluster)
{
    [Theory, ClassData<KubeletContainerds>]
    public async Task Images_are_listed_by_the_names_in_the_manifests(string containerd)
    {
        await using var offline = cluster.OpenDoor(cluster.Private);
        var (node, hub, quay) = (cluster.NodeOn(containerd), cluster.NewName(), cluster.NewName());
        var (ofHub, ofQuay) = (await cluster.Private.Push(hub), await cluster.Private.Push(quay));
        await node.Configure(offline.Address, $"auth: {offline.Auth}\nofflineOnly: true");
        await using var first = await node.Run(hub);
        await using var second = await node.Run($"quay.io/{quay}");
        await first.Ready();
        await second.Ready();

        await node.RestartKubelet(); // it lists images at its start, else every 30 seconds

        var digest = $"quay.io/{quay.Split(':')[0]}@{ofQuay.Digest}";
        var names = NamesIn(await cluster.Api.WaitFor($"/api/v1/nodes/{node.Name}", status => NamesIn(status).Contains(digest), $"{digest} is listed"));
        names.ShouldContain($"quay.io/{quay}");
        names.ShouldContain($"docker.io/{hub}");
        names.ShouldContain($"docker.io/{hub.Split(':')[0]}@{ofHub.Digest}");
        names.ShouldNotContain(name => name.StartsWith(offline.Host));
        (await first.Now()).Image.ShouldBe($"docker.io/{hub}");
        (await second.Now()).Image.ShouldBe($"quay.io/{quay}");
    }

    private static string[] NamesIn(JsonNode node) =>
        [.. (node["status"]?["images"]?.AsArray() ?? []).SelectMany(image => image!["names"]!.AsArray()).Select(name => (string)name!)];
}
