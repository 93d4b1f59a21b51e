using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Pulls;

[Collection<RealNodeTests>]
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class PullingAtTheSameTime(RealNode node)
{
    [Theory, ClassData<ContainerdVersions>]
    public async Task A_hundred_pulls_of_one_name_ask_each_registry_once(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var mirror = node.OpenDoor(node.Another);
        await using var shim = await node.StartShim(containerd, $$"""
            address: {{offline.Address}}
            auth: {{offline.Auth}}
            registries:
            - { address: "{{mirror.Address}}", auth: "{{mirror.Auth}}" }
            """);
        var (first, name) = (node.NewName(), node.NewName());
        await node.Another.Push(first);
        var image = await node.Another.Push(name);
        (await shim.Caller.Pull(first)).ShouldBeOk(); // so that it is known what each registry wants to be sent

        var pulled = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => shim.Caller.Pull(name)));

        pulled.ShouldAllBe(answer => answer.Code == GrpcCode.Ok && answer.ImageRef == image.Id);
        foreach (var door in new[] { offline, mirror })
            door.Probes.Select(probe => $"{probe.Method} {probe.Path}").Where(probe => probe.Contains(name[..name.IndexOf(':')])).ShouldBe([$"HEAD /v2/{name.Replace(":", "/manifests/")}"]);
    }
}
