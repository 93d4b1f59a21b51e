using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Pulls;

[Collection<RealNodeTests>]
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class FindingWhileEverythingIsDown(RealNode node)
{
    [Theory, ClassData<ContainerdVersions>]
    public async Task An_image_on_the_node_is_found_and_no_packet_leaves(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var mirror = node.OpenDoor(node.Another);
        var name = node.NewName();
        var image = await node.Another.Push(name);
        await using (var earlier = await StartShim(containerd, offline, mirror))
            (await earlier.Caller.Pull(name)).ShouldBeOk();
        var connections = (offline.Connections, mirror.Connections, node.Origin.Connections);
        await using var shim = await StartShim(containerd, offline, mirror); // one that has asked nobody yet

        (await shim.Caller.FindId(name)).ShouldBe(image.Id);
        (await shim.Caller.FindId(image.Id)).ShouldBe(image.Id);
        (await shim.Caller.FindId(node.NewName())).ShouldBeNull();

        (offline.Connections, mirror.Connections, node.Origin.Connections).ShouldBe(connections);
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task Pulling_fails_because_the_registries_are_unavailable(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var mirror = node.OpenDoor(node.Another);
        var name = node.NewName();
        var image = await node.Private.Push(name);
        await using var shim = await StartShim(containerd, offline, mirror, "offlineOnly: true");
        (await shim.Caller.Pull(name)).ShouldBeOk();
        await offline.Shut();
        await mirror.Shut();

        var pulled = await shim.Caller.Pull(name);

        pulled.Code.ShouldBe(GrpcCode.Unknown); // kubelet knows the prefix only with this code
        pulled.Message.ShouldStartWith("RegistryUnavailable: ");
        pulled.Message.ShouldContain($"{offline.Host}/{name} unreachable (connection refused)");
        pulled.Message.ShouldContain($"{mirror.Host}/{name} unreachable (connection refused)");
        (await shim.Caller.FindId(name)).ShouldBe(image.Id);
    }

    private Task<ShimOnNode> StartShim(string containerd, Door offline, Door mirror, string more = "") => node.StartShim(containerd, $$"""
        address: {{offline.Address}}
        auth: {{offline.Auth}}
        registries:
        - { address: "{{mirror.Address}}", auth: "{{mirror.Auth}}" }
        {{more}}
        """);
}
