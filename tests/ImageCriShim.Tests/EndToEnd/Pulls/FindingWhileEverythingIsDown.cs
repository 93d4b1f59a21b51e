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
    public async Task Pulling_what_is_not_there_fails_because_the_registries_are_unavailable(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var mirror = node.OpenDoor(node.Another);
        var name = node.NewName();
        await using var shim = await StartShim(containerd, offline, mirror, "offlineOnly: true");
        await offline.Shut();
        await mirror.Shut();

        var pulled = await shim.Caller.Pull(name);

        pulled.Code.ShouldBe(GrpcCode.Unknown); // kubelet knows the prefix only with this code
        pulled.Message.ShouldStartWith("RegistryUnavailable: ");
        pulled.Message.ShouldContain($"{offline.Host}/{name} unreachable (connection refused)");
        pulled.Message.ShouldContain($"{mirror.Host}/{name} unreachable (connection refused)");
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task Pulling_what_is_there_is_answered_with_it_and_a_warning(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var mirror = node.OpenDoor(node.Another);
        var name = node.NewName();
        var image = await node.Private.Push(name);
        await using var shim = await StartShim(containerd, offline, mirror, "offlineOnly: true");
        (await shim.Caller.Pull(name, new PodSecret("pod", Secrets.OfPod))).ShouldBeOk(); // which has not paid for it
        await offline.Shut();
        await mirror.Shut();

        var pulled = await shim.Caller.Pull(name);

        pulled.ShouldBeOk();
        pulled.ImageRef.ShouldBe(image.Id);
        shim.Process.ShouldSay($"no registry can be reached: {name} is answered with the image that is on the node, {image.Id}");
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task With_serveLocal_off_it_is_an_error_that_says_so(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var mirror = node.OpenDoor(node.Another);
        var name = node.NewName();
        await node.Private.Push(name);
        await using var shim = await StartShim(containerd, offline, mirror, "offlineOnly: true\nserveLocal: false");
        (await shim.Caller.Pull(name)).ShouldBeOk();
        await offline.Shut();
        await mirror.Shut();

        var pulled = await shim.Caller.Pull(name);

        pulled.Message.ShouldStartWith("RegistryUnavailable: ");
        pulled.Message.ShouldContain("the image that is on the node is not used: serveLocal is false");
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task What_a_pods_secret_paid_for_is_given_to_nobody(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var mirror = node.OpenDoor(node.Another);
        await using var theirs = node.OpenDoor(node.OriginRegistry, takesPodSecrets: true);
        var name = node.NewName();
        var given = $"{theirs.Host}/{name}";
        await node.OriginRegistry.Push(name);
        await using var shim = await StartShim(containerd, offline, mirror);
        (await shim.Caller.Pull(given, new PodSecret("pod", Secrets.OfPod))).ShouldBeOk();
        await offline.Shut();
        await mirror.Shut();
        await theirs.Shut();

        var pulled = await shim.Caller.Pull(given);

        pulled.Code.ShouldBe(GrpcCode.Unknown);
        pulled.Message.ShouldStartWith("RegistryUnavailable: ");
        pulled.Message.ShouldEndWith("the image that is on the node is not used: it came with a pod's pull secret");
    }

    private Task<ShimOnNode> StartShim(string containerd, Door offline, Door mirror, string more = "") => node.StartShim(containerd, $$"""
        address: {{offline.Address}}
        auth: {{offline.Auth}}
        registries:
        - { address: "{{mirror.Address}}", auth: "{{mirror.Auth}}" }
        {{more}}
        """);
}
