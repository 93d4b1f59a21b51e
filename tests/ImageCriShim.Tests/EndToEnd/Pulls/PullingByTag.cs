using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Pulls;

[Collection<RealNodeTests>]
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class PullingByTag(RealNode node)
{
    [Theory, ClassData<ContainerdVersions>]
    public async Task The_image_comes_from_the_offline_registry_with_its_password(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var shim = await node.StartShim(containerd, $"address: {offline.Address}\nauth: {offline.Auth}");
        var name = node.NewName();
        var image = await node.Private.Push(name);

        (await shim.Caller.FindId(name)).ShouldBeNull();
        var pulled = await shim.Caller.Pull(name);

        pulled.ShouldBeOk();
        pulled.ImageRef.ShouldBe(image.Id);
        (await shim.Caller.FindId(name)).ShouldBe(image.Id);
        offline.HasServed.ShouldBeTrue();
    }
}
