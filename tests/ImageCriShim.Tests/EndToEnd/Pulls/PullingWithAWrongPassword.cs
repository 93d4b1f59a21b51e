using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Pulls;

[Collection<RealNodeTests>]
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class PullingWithAWrongPassword(RealNode node)
{
    [Theory, ClassData<ContainerdVersions>]
    public async Task The_error_names_the_registry_and_the_user_but_no_password(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var shim = await node.StartShim(containerd, $"address: {offline.Address}\nauth: admin:{Secrets.Wrong}\ndebug: true");
        var name = node.NewName();
        await node.Private.Push(name);

        var pulled = await shim.Caller.Pull(name);

        pulled.Code.ShouldBe(GrpcCode.NotFound); // from the origin: the image was asked for as given
        pulled.Message.ShouldContain($"{offline.Host}/{name} denied (HTTP 401 for user admin)");
        pulled.Message.ShouldNotStartWith("RegistryUnavailable");
        Secrets.ShouldNotBeIn(pulled.Message);
        Secrets.ShouldNotBeIn(shim.Process.Output);
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task Another_registry_that_has_the_image_serves_it(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var mirror = node.OpenDoor(node.Another);
        await using var shim = await node.StartShim(containerd, $$"""
            address: {{offline.Address}}
            auth: admin:{{Secrets.Wrong}}
            registries:
            - { address: "{{mirror.Address}}", auth: "{{mirror.Auth}}" }
            """);
        var name = node.NewName();
        await node.Private.Push(name);
        var image = await node.Another.Push(name);

        var pulled = await shim.Caller.Pull(name);

        pulled.ShouldBeOk();
        pulled.ImageRef.ShouldBe(image.Id);
    }
}
