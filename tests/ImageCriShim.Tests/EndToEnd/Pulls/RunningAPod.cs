using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Pulls;

[Collection<RealNodeTests>]
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class RunningAPod(RealNode node)
{
    [Theory, ClassData<ContainerdVersions>]
    public async Task A_container_of_the_pulled_image_runs(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var shim = await node.StartShim(containerd, $"address: {offline.Address}\nauth: {offline.Auth}");
        await using var direct = await CriCaller.Connect(node.SocketOf(containerd));
        var name = node.NewName();
        await node.Private.Push(name);
        (await shim.Caller.Pull(name)).ShouldBeOk();
        var id = await shim.Caller.FindId(name); // what kubelet names the image by from here on

        var pod = await shim.Caller.RunPod("pod");
        var container = await shim.Caller.CreateContainer(pod, "pod", id!);
        await shim.Caller.StartContainer(container);
        var said = await shim.Caller.Exec(container, "echo", "from inside");
        await shim.Caller.StopPod(pod);
        await shim.Caller.RemovePod(pod);

        said.ShouldBe("from inside\n");
        (await direct.ListPods()).ShouldNotContain(pod);
    }
}
