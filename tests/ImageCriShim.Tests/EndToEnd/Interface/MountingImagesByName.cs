using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Interface;

/// <summary>An image volume is named as a container's image is, which <see cref="LivingInEitherVersion"/> does.</summary>
[Collection<RealNodeTests>]
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class MountingImagesByName(RealNode node)
{
    /// <summary>containerd has image volumes since 2.1.</summary>
    [Fact]
    public async Task An_image_volume_of_a_name_holds_the_image_that_was_pulled_for_it()
    {
        const string containerd = "2";
        await using var offline = node.OpenDoor(node.Private);
        await using var shim = await node.StartShim(containerd, $"address: {offline.Address}\nauth: {offline.Auth}");
        var (name, volume) = (node.NewName(), node.NewName());
        await node.Private.Push(name);
        await node.Private.Push(volume);
        (await shim.Caller.Pull(name)).ShouldBeOk();
        (await shim.Caller.Pull(volume)).ShouldBeOk();

        var pod = await shim.Caller.RunPod("volume");
        var container = await shim.Caller.CreateContainer(pod, "volume", name, (volume, "/tmp"));
        await shim.Caller.StartContainer(container);
        var said = await shim.Caller.Exec(container, "ls", "/tmp/bin/busybox");
        await shim.Caller.StopPod(pod);
        await shim.Caller.RemovePod(pod);

        said.ShouldBe("/tmp/bin/busybox\n");
    }
}
