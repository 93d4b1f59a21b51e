using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Interface;

/// <summary>
/// An image that came from elsewhere is shown under the name that was asked for: to the scheduler, to kubelet's pull records and to people.
/// </summary>
[Collection<RealNodeTests>]
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class NamingPulledImages(RealNode node)
{
    /// <summary>For what no runtime does otherwise than another.</summary>
    private const string Containerd = "1.7";

    [Theory, ClassData<ContainerdsOfEitherInterface>]
    public async Task It_has_the_names_that_Docker_Hub_would_have_given_it_and_its_containers_agree(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var shim = await node.StartShim(containerd, $"address: {offline.Address}\nauth: {offline.Auth}");
        await using var direct = await node.ConnectTo(containerd);
        var image = await node.Private.Push("library/nginx:1.25");
        await node.OriginRegistry.Push("library/nginx:1.25", image); // where containerd 1.4 looks first, and others have left theirs

        var pulled = await shim.Caller.Pull("nginx:1.25");

        pulled.ShouldBeOk();
        pulled.ImageRef.ShouldBe(image.Id);
        foreach (var seen in new[] { await shim.Caller.FindImage("nginx:1.25"), await Listed(shim.Caller, image), await shim.Caller.FindImage(image.Id) })
        {
            seen!.Id.ShouldBe(image.Id);
            seen.ShouldBeNamed(["docker.io/library/nginx:1.25"], [$"docker.io/library/nginx@{image.Digest}"]);
        }

        (await Listed(direct, image)).ShouldBeNamed([$"{offline.Host}/library/nginx:1.25"], [$"{offline.Host}/library/nginx@{image.Digest}"]);

        var pod = await shim.Caller.RunPod("agreeing");
        var container = await shim.Caller.CreateContainer(pod, "agreeing", image.Id);
        var (status, listed) = (await shim.Caller.FindImageOf(container), await shim.Caller.ListedImageOf(container));
        await shim.Caller.StopPod(pod);
        await shim.Caller.RemovePod(pod);
        await shim.Caller.Remove("nginx:1.25");

        status.Name.ShouldBe("docker.io/library/nginx:1.25");
        status.Ref.ShouldEndWith("@" + image.Digest);
        listed.Ref.ShouldBe(image.Id);
        foreach (var id in new[] { status.Id, listed.Id })
            id.ShouldBeOneOf("", image.Id);
    }

    [Theory]
    [InlineData("original", true, false)]
    [InlineData("both", true, true)]
    [InlineData("actual", false, true)]
    public async Task The_setting_says_which_names_are_shown(string names, bool hasOriginal, bool hasActual)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var shim = await node.StartShim(Containerd, $"address: {offline.Address}\nauth: {offline.Auth}\nnames: {names}");
        var name = node.NewName();
        var image = await node.Private.Push(name);

        (await shim.Caller.Pull(name)).ShouldBeOk();

        string[] hosts = [.. hasOriginal ? ["docker.io"] : Array.Empty<string>(), .. hasActual ? [offline.Host] : Array.Empty<string>()];
        string[] tags = [.. hosts.Select(host => $"{host}/{name}")];
        string[] digests = [.. hosts.Select(host => $"{host}/{name.Split(':')[0]}@{image.Digest}")];
        (await shim.Caller.FindImage(name))!.ShouldBeNamed(tags, digests);
        (await Listed(shim.Caller, image)).ShouldBeNamed(tags, digests);
    }

    [Fact]
    public async Task Two_names_that_were_given_for_one_image_are_both_shown()
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var shim = await node.StartShim(Containerd, $"address: {offline.Address}\nauth: {offline.Auth}");
        var name = node.NewName();
        var image = await node.Private.Push(name);

        (await shim.Caller.Pull(name)).ShouldBeOk();
        (await shim.Caller.Pull("quay.io/" + name)).ShouldBeOk();

        var repository = name.Split(':')[0];
        (await Listed(shim.Caller, image)).ShouldBeNamed(
            [$"docker.io/{name}", $"quay.io/{name}"], [$"docker.io/{repository}@{image.Digest}", $"quay.io/{repository}@{image.Digest}"]);
    }

    [Fact]
    public async Task What_was_given_by_digest_is_named_by_it()
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var shim = await node.StartShim(Containerd, $"address: {offline.Address}\nauth: {offline.Auth}");
        var name = node.NewName();
        var image = await node.Private.Push(name);
        var given = $"{name.Split(':')[0]}@{image.Digest}";

        foreach (var written in new[] { given, $"{name}@{image.Digest}" }) // a tag beside a digest says nothing
        {
            (await shim.Caller.Pull(written)).ShouldBeOk();

            (await Listed(shim.Caller, image)).ShouldBeNamed([], ["docker.io/" + given]);
            (await shim.Caller.FindImage(written))!.ShouldBeNamed([], ["docker.io/" + given]);
            await shim.Caller.Remove(written);
        }
    }

    [Theory]
    [InlineData("index.docker.io/{0}", "docker.io/{0}")]
    [InlineData("registry.k8s.io/{0}", "registry.k8s.io/{0}")]
    [InlineData("nowhere.test:5000/{0}", "nowhere.test:5000/{0}")]
    public async Task A_host_that_was_given_is_shown_as_the_runtime_would_write_it(string given, string shown)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var shim = await node.StartShim(Containerd, $"address: {offline.Address}\nauth: {offline.Auth}");
        var name = node.NewName();
        var image = await node.Private.Push(name);

        (await shim.Caller.Pull(string.Format(given, name))).ShouldBeOk();

        var expected = string.Format(shown, name);
        (await Listed(shim.Caller, image)).ShouldBeNamed([expected], [$"{expected[..expected.LastIndexOf(':')]}@{image.Digest}"]);
    }

    [Fact]
    public async Task A_tag_that_has_moved_is_the_new_images_and_the_old_one_keeps_its_digest()
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var shim = await node.StartShim(Containerd, $"address: {offline.Address}\nauth: {offline.Auth}");
        var name = node.NewName();
        var repository = name.Split(':')[0];
        var old = await node.Private.Push(name);
        (await shim.Caller.Pull(name)).ShouldBeOk();
        var image = await node.Private.Push(name);
        (await shim.Caller.Pull(name)).ShouldBeOk();

        (await Listed(shim.Caller, image)).ShouldBeNamed(["docker.io/" + name], [$"docker.io/{repository}@{image.Digest}"]);
        (await Listed(shim.Caller, old)).ShouldBeNamed([], [$"docker.io/{repository}@{old.Digest}"]);
    }

    [Fact]
    public async Task What_was_removed_by_one_of_its_names_is_pulled_again_under_the_other_alone()
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var shim = await node.StartShim(Containerd, $"address: {offline.Address}\nauth: {offline.Auth}");
        var name = node.NewName();
        var image = await node.Private.Push(name);
        foreach (var removed in new[] { name, "quay.io/" + name, image.Id })
        {
            (await shim.Caller.Pull("quay.io/" + name)).ShouldBeOk();
            (await shim.Caller.Pull(name)).ShouldBeOk();

            await shim.Caller.Remove(removed);
            (await shim.Caller.FindImage("quay.io/" + name)).ShouldBeNull();
            (await shim.Caller.Pull(name)).ShouldBeOk();

            (await Listed(shim.Caller, image)).ShouldBeNamed(["docker.io/" + name], [$"docker.io/{name.Split(':')[0]}@{image.Digest}"]);
            await shim.Caller.Remove(name);
        }
    }

    [Fact]
    public async Task A_name_that_the_runtime_has_by_itself_is_shown_once()
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var shim = await node.StartShim(Containerd, $"address: {offline.Address}\nauth: {offline.Auth}");
        await using var direct = await node.ConnectTo(Containerd);
        var name = node.NewName();
        var image = await node.Private.Push(name);
        await node.OriginRegistry.Push(name, image);

        (await direct.Pull(name)).ShouldBeOk();
        (await shim.Caller.Pull(name)).ShouldBeOk();

        (await Listed(direct, image)).Tags.Length.ShouldBe(2);
        (await Listed(shim.Caller, image)).ShouldBeNamed(["docker.io/" + name], [$"docker.io/{name.Split(':')[0]}@{image.Digest}"]);
    }

    [Fact]
    public async Task A_name_that_was_asked_for_as_it_is_stays()
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var shim = await node.StartShim(Containerd, $"address: {offline.Address}\nauth: {offline.Auth}");
        var name = node.NewName();
        var image = await node.Private.Push(name);

        (await shim.Caller.Pull($"{offline.Host}/{name}")).ShouldBeOk();

        (await Listed(shim.Caller, image)).ShouldBeNamed([$"{offline.Host}/{name}"], [$"{offline.Host}/{name.Split(':')[0]}@{image.Digest}"]);
    }

    private static async Task<ImageOnNode> Listed(CriCaller caller, TestImage image) => (await caller.ListImages()).Single(listed => listed.Id == image.Id);
}
