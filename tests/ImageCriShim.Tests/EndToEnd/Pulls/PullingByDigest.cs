using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Pulls;

[Collection<RealNodeTests>]
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class PullingByDigest(RealNode node)
{
    [Theory, ClassData<ContainerdVersions>]
    public async Task The_image_comes_with_that_digest(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var shim = await node.StartShim(containerd, $"address: {offline.Address}\nauth: {offline.Auth}");
        var name = node.NewName();
        var image = await node.Private.Push(name);
        var byDigest = $"{name[..^":1.0".Length]}@{image.Digest}";

        var pulled = await shim.Caller.Pull(byDigest);

        pulled.ShouldBeOk();
        pulled.ImageRef.ShouldBe(image.Id);
        (await shim.Caller.FindId(byDigest)).ShouldBe(image.Id);
        offline.HasServed.ShouldBeTrue();
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task Of_tag_and_digest_the_digest_decides(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var shim = await node.StartShim(containerd, $"address: {offline.Address}\nauth: {offline.Auth}");
        var name = node.NewName();
        var wanted = await node.Private.Push(name);
        await node.Private.Push(name); // the tag is another image's from now on

        var pulled = await shim.Caller.Pull($"{name}@{wanted.Digest}");

        pulled.ShouldBeOk();
        pulled.ImageRef.ShouldBe(wanted.Id);
        (await shim.Caller.FindId($"{name}@{wanted.Digest}")).ShouldBe(wanted.Id);
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task A_digest_that_nobody_has_is_not_replaced_by_what_the_tag_points_to(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var shim = await node.StartShim(containerd, $"address: {offline.Address}\nauth: {offline.Auth}");
        var name = node.NewName();
        await node.Private.Push(name);

        var pulled = await shim.Caller.Pull($"{name}@{TestImage.Make().Digest}");

        pulled.Code.ShouldBe(GrpcCode.NotFound);
        offline.HasServed.ShouldBeFalse();
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task But_it_is_with_digestFallback_and_a_warning(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var shim = await node.StartShim(containerd, $"address: {offline.Address}\nauth: {offline.Auth}\ndigestFallback: true");
        var name = node.NewName();
        var image = await node.Private.Push(name);
        var given = $"{name}@{TestImage.Make().Digest}";

        var pulled = await shim.Caller.Pull(given);

        pulled.ShouldBeOk();
        pulled.ImageRef.ShouldBe(image.Id);
        (await shim.Caller.FindId(given)).ShouldBe(image.Id);
        shim.Process.ShouldSay($"it comes as {offline.Host}/{name} with digest {image.Digest}");
        await shim.Caller.Remove(given);
        (await shim.Caller.FindId(given)).ShouldBeNull();
    }
}
