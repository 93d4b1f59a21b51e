using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Pulls;

[Collection<RealNodeTests>]
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class PullingAfterTheRuntimeRestarts(RealNode node)
{
    [Theory, ClassData<ContainerdVersions>]
    public async Task The_shim_serves_at_once_and_knows_what_was_pulled_before(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var shim = await node.StartShim(containerd, $"address: {offline.Address}\nauth: {offline.Auth}");
        var (before, after) = (node.NewName(), node.NewName());
        var (old, image) = (await node.Private.Push(before), await node.Private.Push(after));
        (await shim.Caller.Pull(before)).ShouldBeOk();

        await node.RestartContainerd(containerd);

        await using var caller = await CriCaller.Connect(shim.Process.SocketPath); // a caller's connection ends with the runtime's
        (await caller.Pull(after)).ShouldBeOk();
        (await caller.FindId(after)).ShouldBe(image.Id);
        (await caller.FindId(before)).ShouldBe(old.Id);
    }
}
