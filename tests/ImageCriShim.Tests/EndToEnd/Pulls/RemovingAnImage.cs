using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Pulls;

[Collection<RealNodeTests>]
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class RemovingAnImage(RealNode node)
{
    [Theory, ClassData<ContainerdVersions>]
    public async Task The_name_that_was_given_removes_what_is_there_under_another(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var shim = await node.StartShim(containerd, $"address: {offline.Address}\nauth: {offline.Auth}");
        await using var direct = await CriCaller.Connect(node.SocketOf(containerd));
        var name = node.NewName();
        var image = await node.Private.Push(name);
        (await shim.Caller.Pull(name)).ShouldBeOk();
        (await direct.FindId(name)).ShouldBeNull();
        (await direct.FindId($"{offline.Host}/{name}")).ShouldBe(image.Id);

        await shim.Caller.Remove(name);

        (await direct.FindId(image.Id)).ShouldBeNull();
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task What_came_as_given_is_removed_as_given(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var shim = await node.StartShim(containerd, $"address: {offline.Address}\nauth: {offline.Auth}");
        var name = node.NewName();
        var image = await node.OriginRegistry.Push(name);
        (await shim.Caller.Pull(name)).ShouldBeOk();

        await shim.Caller.Remove(name);

        (await shim.Caller.FindId(image.Id)).ShouldBeNull();
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task Removing_twice_is_no_error(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var shim = await node.StartShim(containerd, $"address: {offline.Address}\nauth: {offline.Auth}");
        var name = node.NewName();
        var image = await node.Private.Push(name);
        (await shim.Caller.Pull(name)).ShouldBeOk();

        foreach (var given in new[] { name, name, image.Id, node.NewName() })
            await shim.Caller.Remove(given);

        (await shim.Caller.FindId(name)).ShouldBeNull();
    }
}
