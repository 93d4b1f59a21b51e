using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Interface;

[Collection<RealNodeTests>]
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class NamingImagesAfterARestart(RealNode node) : IDisposable
{
    private readonly TempDirectory _files = new();

    public void Dispose() => _files.Dispose();

    [Theory, ClassData<ContainerdsOfEitherInterface>]
    public async Task Names_references_and_IDs_are_the_same_after_one_of_the_shim_of_the_runtime_and_of_both(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        var settings = $"address: {offline.Address}\nauth: {offline.Auth}";
        var name = node.NewName();
        var image = await node.Private.Push(name);
        string pod, container;
        await using (var shim = await Start(containerd, settings))
        {
            (await shim.Caller.Pull(name)).ShouldBeOk();
            pod = await shim.Caller.RunPod("restarting");
            container = await shim.Caller.CreateContainer(pod, "restarting", image.Id);
            await ShouldAgree(shim.Caller, name, image, container);
        }

        await using (var shim = await Start(containerd, settings))
        {
            await ShouldAgree(shim.Caller, name, image, container);
            await node.RestartContainerd(containerd);
            await using var again = await CriCaller.Connect(shim.Process.SocketPath); // a caller's connection ends with the runtime's
            await ShouldAgree(again, name, image, container);
        }

        await node.RestartContainerd(containerd);
        await using (var shim = await Start(containerd, settings))
        {
            await ShouldAgree(shim.Caller, name, image, container);
            await shim.Caller.StopPod(pod);
            await shim.Caller.RemovePod(pod);
        }
    }

    [Theory, ClassData<ContainerdsOfEitherInterface>]
    public async Task With_the_state_lost_they_are_as_the_configuration_tells(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var mirror = node.OpenDoor(node.Another);
        await using var ofOne = node.OpenDoor(node.Open);
        var settings = $$"""
            address: {{offline.Address}}
            auth: {{offline.Auth}}
            registries:
            - { address: "{{mirror.Address}}", auth: "{{mirror.Auth}}", images: ["quay.io", "ghcr.io"], path: "of/{registry}/{repository}" }
            - { address: "{{ofOne.Address}}", images: ["registry.test"] }
            """;
        var (official, flat, byOrigin, single) = (node.NewName()["team/".Length..], node.NewName(), node.NewName(), node.NewName());
        var images = new Dictionary<string, TestImage>
        {
            [$"docker.io/library/{official}"] = await node.Private.Push($"library/{official}"),
            [$"docker.io/{flat}"] = await node.Private.Push(flat),
            [$"quay.io/{byOrigin}"] = await node.Another.Push($"of/quay.io/{byOrigin}"),
            [$"registry.test/{single}"] = await node.Open.Push(single),
        };
        await using (var shim = await Start(containerd, settings))
            foreach (var name in images.Keys)
                (await shim.Caller.Pull(name)).ShouldBeOk();

        Directory.Delete(_files.File("state"), recursive: true);
        await using var after = await Start(containerd, settings);

        var listed = await after.Caller.ListImages();
        foreach (var (name, image) in images)
        {
            var told = name == $"docker.io/{flat}" ? $"{offline.Host}/{flat}" : name; // any host may have a team/app
            listed.Single(found => found.Id == image.Id).ShouldBeNamed([told], [$"{told[..told.LastIndexOf(':')]}@{image.Digest}"]);
            (await after.Caller.FindImage(name))!.Tags.ShouldBe([name]);
        }
    }

    private Task<ShimOnNode> Start(string containerd, string settings) => node.StartShimOn(_files.File("state"), containerd, settings);

    private static async Task ShouldAgree(CriCaller caller, string name, TestImage image, string container)
    {
        foreach (var seen in new[] { await caller.FindImage(name), (await caller.ListImages()).Single(listed => listed.Id == image.Id) })
            seen!.ShouldBeNamed([$"docker.io/{name}"], [$"docker.io/{name.Split(':')[0]}@{image.Digest}"]);
        (await caller.FindId(name)).ShouldBe(image.Id);
        (await caller.ListedImageOf(container)).Ref.ShouldBe(image.Id);
        (await caller.FindImageOf(container)).Name.ShouldBe($"docker.io/{name}");
        (await caller.Pull(name)).ImageRef.ShouldBe(image.Id);
    }
}
