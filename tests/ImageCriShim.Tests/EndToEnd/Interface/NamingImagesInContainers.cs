using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Interface;

/// <summary>Kubelet names an image by its ID when it makes a container; people and other callers name it as they do everywhere.</summary>
[Collection<RealNodeTests>]
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class NamingImagesInContainers(RealNode node)
{
    [Theory, ClassData<ContainerdsOfEitherInterface>]
    public async Task A_container_of_a_name_runs_the_image_that_was_pulled_for_it(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var shim = await node.StartShim(containerd, $"address: {offline.Address}\nauth: {offline.Auth}");
        var name = node.NewName();
        var image = await node.Private.Push(name);
        (await shim.Caller.Pull(name)).ShouldBeOk();

        var pod = await shim.Caller.RunPod("named");
        var container = await shim.Caller.CreateContainer(pod, "named", name);
        await shim.Caller.StartContainer(container);
        var said = await shim.Caller.Exec(container, "echo", "from inside");
        var (status, listed) = (await shim.Caller.FindImageOf(container), await shim.Caller.ListedImageOf(container));
        await shim.Caller.StopPod(pod);
        await shim.Caller.RemovePod(pod);

        said.ShouldBe("from inside\n");
        status.Name.ShouldBe("docker.io/" + name);
        listed.Ref.ShouldBe(image.Id);
    }

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
