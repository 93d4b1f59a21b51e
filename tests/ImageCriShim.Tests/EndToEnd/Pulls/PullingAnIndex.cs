using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Pulls;

[Collection<RealNodeTests>]
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class PullingAnIndex(RealNode node)
{
    [Theory, ClassData<ContainerdVersions>]
    public async Task The_image_of_this_platform_comes_by_tag_and_by_the_digest_of_the_index(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var shim = await node.StartShim(containerd, $"address: {offline.Address}\nauth: {offline.Auth}");
        var name = node.NewName();
        var image = await node.Private.Push(name, TestImage.MakeIndex("arm64", "amd64"));

        foreach (var given in new[] { name, $"{name}@{image.Digest}" })
        {
            var pulled = await shim.Caller.Pull(given);

            pulled.ShouldBeOk();
            pulled.ImageRef.ShouldBe(image.Id);
            (await shim.Caller.FindId(given)).ShouldBe(image.Id);
        }
    }
}
