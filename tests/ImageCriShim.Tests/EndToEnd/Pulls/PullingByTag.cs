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
        shim.Process.ShouldNotHaveComplained();
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task Whatever_host_the_name_has_the_registry_keeps_it_under_the_same_path(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var shim = await node.StartShim(containerd, $"address: {offline.Address}\nauth: {offline.Auth}");
        foreach (var host in new[] { "", "docker.io/", "index.docker.io/", "registry.k8s.io/", "nowhere.test:5000/", "localhost/" })
        {
            var name = node.NewName();
            var image = await node.Private.Push(name);

            (await shim.Caller.Pull(host + name)).ShouldBeOk();

            (await shim.Caller.FindId(host + name)).ShouldBe(image.Id);
        }
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task A_bare_name_is_one_of_the_library_and_the_latest(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var shim = await node.StartShim(containerd, $"address: {offline.Address}\nauth: {offline.Auth}");
        var name = node.NewName()["team/".Length..^":1.0".Length];
        var image = await node.Private.Push($"library/{name}:latest");

        (await shim.Caller.Pull(name)).ShouldBeOk();

        foreach (var given in new[] { name, $"{name}:latest", $"library/{name}", $"docker.io/library/{name}:latest" })
            (await shim.Caller.FindId(given)).ShouldBe(image.Id, given);
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task The_path_of_an_address_and_a_template_say_where_at_the_registry_it_lies(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var mirror = node.OpenDoor(node.Another);
        await using var shim = await node.StartShim(containerd, $$"""
            address: {{offline.Address}}/site/a
            auth: {{offline.Auth}}
            registries:
            - { address: "{{mirror.Address}}", auth: "{{mirror.Auth}}", path: "by-origin/{registry}/{repository}" }
            """);
        var (below, byOrigin) = (node.NewName(), node.NewName());
        var image = await node.Private.Push($"site/a/{below}");
        var other = await node.Another.Push($"by-origin/quay.io/{byOrigin}");

        (await shim.Caller.Pull(below)).ShouldBeOk();
        (await shim.Caller.Pull("quay.io/" + byOrigin)).ShouldBeOk();

        (await shim.Caller.FindId(below)).ShouldBe(image.Id);
        (await shim.Caller.FindId("quay.io/" + byOrigin)).ShouldBe(other.Id);
    }
}
