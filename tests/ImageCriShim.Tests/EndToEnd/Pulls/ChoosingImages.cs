using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Pulls;

/// <summary>Which images a registry is asked for, and where they lie there.</summary>
[Collection<RealNodeTests>]
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class ChoosingImages(RealNode node)
{
    [Theory, ClassData<ContainerdVersions>]
    public async Task A_registry_is_asked_for_its_images_only(string containerd)
    {
        await using var offline = node.OpenDoor(node.Open);
        await using var mirror = node.OpenDoor(node.Another);
        await using var shim = await StartShim(containerd, offline, mirror, "images: [docker.io/team], exclude: [docker.io/team/secret]");
        var (covered, excluded, other) = (node.NewName(), "team/secret:1.0", "others/app:1.0");
        var images = new List<TestImage> { await node.Another.Push(covered) };
        foreach (var name in new[] { excluded, other })
        {
            await node.Another.Push(name);
            images.Add(await node.OriginRegistry.Push(name));
        }

        (await shim.Caller.Pull(covered)).ImageRef.ShouldBe(images[0].Id);
        (await shim.Caller.Pull(excluded)).ImageRef.ShouldBe(images[1].Id);
        (await shim.Caller.Pull(other)).ImageRef.ShouldBe(images[2].Id);

        mirror.Requests.ShouldNotBeEmpty();
        mirror.Requests.ShouldAllBe(request => !request.Path.Contains("secret") && !request.Path.Contains("others"));
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task It_lies_where_the_path_says(string containerd)
    {
        await using var offline = node.OpenDoor(node.Open);
        await using var mirror = node.OpenDoor(node.Another);
        await using var shim = await StartShim(containerd, offline, mirror, "path: \"dockerhub/{repository}\"");
        var name = node.NewName();
        await node.Another.Push(name);
        var image = await node.Another.Push($"dockerhub/{name}");

        (await shim.Caller.Pull(name)).ImageRef.ShouldBe(image.Id);

        (await shim.Caller.FindId(name)).ShouldBe(image.Id);
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task The_error_names_the_place_that_was_looked_at(string containerd)
    {
        await using var offline = node.OpenDoor(node.Open);
        await using var mirror = node.OpenDoor(node.Another);
        await using var shim = await StartShim(containerd, offline, mirror, "images: [docker.io/team], path: \"dockerhub/{repository}\"");
        var name = node.NewName();

        var pulled = await shim.Caller.Pull(name);

        pulled.Code.ShouldBe(GrpcCode.NotFound);
        pulled.Message.ShouldStartWith(
            $"image {name} could not be pulled: {offline.Host}/{name} is not there; {mirror.Host}/dockerhub/{name} is not there; {name} (as given): ");
    }

    private Task<ShimOnNode> StartShim(string containerd, Door offline, Door mirror, string rule) => node.StartShim(containerd, $$"""
        address: {{offline.Address}}
        registries:
        - { address: "{{mirror.Address}}", auth: "{{mirror.Auth}}", {{rule}} }
        """);
}
