using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Interface;

[Collection<RealNodeTests>]
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class RemovingByWhateverNames(RealNode node)
{
    [Theory, ClassData<ContainerdsOfEitherInterface>]
    public async Task Removes_it_and_removing_it_again_is_no_error(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var shim = await node.StartShim(containerd, $"address: {offline.Address}\nauth: {offline.Auth}");
        await using var direct = await node.ConnectTo(containerd);
        var name = node.NewName();
        var image = await node.Private.Push(name);
        var (repository, hex) = (name.Split(':')[0], image.Id["sha256:".Length..]);
        string[] forms =
        [
            name, $"docker.io/{name}", $"{offline.Host}/{name}", image.Id, hex, hex[..13],
            $"{repository}@{image.Digest}", $"docker.io/{repository}@{image.Digest}", $"{offline.Host}/{repository}@{image.Digest}",
        ];

        foreach (var form in forms)
        {
            (await shim.Caller.Pull(name)).ShouldBeOk();

            await shim.Caller.Remove(form);

            (await direct.FindId(image.Id)).ShouldBeNull(form);
            (await shim.Caller.FindImage(name)).ShouldBeNull(form);
            await shim.Caller.Remove(form); // is no error either
        }
    }
}
