using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Pulls;

[Collection<RealNodeTests>]
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class ForbiddingImages(RealNode node)
{
    [Theory, ClassData<ContainerdVersions>]
    public async Task With_offlineOnly_nothing_is_pulled_as_given(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var shim = await node.StartShim(containerd, $"address: {offline.Address}\nauth: {offline.Auth}\nofflineOnly: true");
        var name = node.NewName();
        await node.OriginRegistry.Push(name);
        var connections = node.Origin.Connections;

        var pulled = await shim.Caller.Pull(name);

        pulled.Code.ShouldBe(GrpcCode.NotFound);
        pulled.Message.ShouldContain($"{offline.Host}/{name} is not there");
        node.Origin.Connections.ShouldBe(connections);
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task What_is_excluded_is_pulled_as_given_and_not_asked_for(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        var name = node.NewName();
        await using var shim = await node.StartShim(containerd, $"""
            address: {offline.Address}
            auth: {offline.Auth}
            exclude: [docker.io/{name[..^":1.0".Length]}]
            """);
        await node.Private.Push(name);
        var image = await node.OriginRegistry.Push(name);

        var pulled = await shim.Caller.Pull(name);

        pulled.ShouldBeOk();
        pulled.ImageRef.ShouldBe(image.Id);
        offline.Requests.ShouldBeEmpty();
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task What_is_blocked_is_refused(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var shim = await node.StartShim(containerd, $"address: {offline.Address}\nauth: {offline.Auth}\nblock: [docker.io/team]");
        var name = node.NewName();
        await node.Private.Push(name);
        await node.OriginRegistry.Push(name);
        var connections = node.Origin.Connections;

        var pulled = await shim.Caller.Pull(name);

        pulled.Code.ShouldBe(GrpcCode.PermissionDenied);
        pulled.Message.ShouldContain($"docker.io/{name} is blocked by this node's configuration (block: docker.io/team)");
        offline.Requests.ShouldBeEmpty();
        node.Origin.Connections.ShouldBe(connections);
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task However_a_name_is_spelled_nobody_else_is_asked_for_it(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        var settings = $"address: {offline.Address}\nauth: {offline.Auth}\nofflineOnly: true\nblock: [quay.io]";
        await using var shim = await node.StartShim(containerd, settings);
        await using var direct = await node.ConnectTo(containerd);
        var name = node.NewName();
        await node.OriginRegistry.Push(name);
        var path = $"a_b.evil.test/{name}"; // to distribution/reference
        var connections = node.Origin.Connections;

        var id = "sha256:" + new string('a', 64);
        foreach (var given in new[] { path, $"Registry-1.docker.io/{name}", $"registry-1.docker.io:443/{name}", id })
            (await shim.Caller.Pull(given)).Code.ShouldNotBe(GrpcCode.Ok, given);
        foreach (var given in new[] { $"quay.io:443/{name}", $"Quay.io/{name}", "evil.test./app:1", "Not//A-Name" })
            (await shim.Caller.Pull(given)).Code.ShouldBe(GrpcCode.PermissionDenied, given);
        node.Origin.Connections.ShouldBe(connections);

        await direct.Pull(path); // the runtime itself would have gone there
        node.Origin.Connections.ShouldBeGreaterThan(connections);
    }
}
