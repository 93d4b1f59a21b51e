using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Pulls;

[Collection<RealNodeTests>]
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class NamingAnImageById(RealNode node)
{
    [Theory, ClassData<ContainerdVersions>]
    public async Task It_is_found_and_removed_by_every_form_of_its_id(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var shim = await node.StartShim(containerd, $"address: {offline.Address}\nauth: {offline.Auth}");
        var name = node.NewName();
        var image = await node.Private.Push(name);
        var hex = image.Id["sha256:".Length..];

        foreach (var id in new[] { image.Id, hex, hex[..13] })
        {
            (await shim.Caller.Pull(name)).ShouldBeOk();
            var asked = offline.Requests.Count;

            (await shim.Caller.FindId(id)).ShouldBe(image.Id, id);
            await shim.Caller.Remove(id);

            (await shim.Caller.FindId(id)).ShouldBeNull(id);
            (await shim.Caller.FindId(name)).ShouldBeNull(id);
            offline.Requests.Count.ShouldBe(asked, id);
        }
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task Pulling_an_id_is_answered_as_the_runtime_answers_it(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var shim = await node.StartShim(containerd, $"address: {offline.Address}\nauth: {offline.Auth}");
        await using var direct = await CriCaller.Connect(node.SocketOf(containerd));
        var id = (await node.Private.Push(node.NewName())).Id;

        foreach (var given in new[] { id, id["sha256:".Length..] })
        {
            (await shim.Caller.Pull(given)).ShouldBe(await direct.Pull(given));
            offline.Requests.ShouldBeEmpty();
        }
    }
}
