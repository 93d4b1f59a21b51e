using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Pulls;

/// <summary>A real docker names images of Docker Hub in a way of its own, and cri-dockerd removes by an ID alone.</summary>
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class NamingOnDocker(RealDocker docker) : IClassFixture<RealDocker>
{
    [Fact]
    public async Task An_image_of_Docker_Hub_has_the_names_that_docker_would_have_given_it()
    {
        await using var offline = new Door(docker.Private);
        await using var shim = await docker.StartShim($"address: {offline.Address}\nauth: {offline.Auth}");
        var name = docker.NewName();
        var image = await docker.Private.Push(name);

        (await shim.Caller.Pull(name)).ShouldBeOk();

        var listed = (await shim.Caller.ListImages()).Single(listed => listed.Id == image.Id);
        foreach (var seen in new[] { listed, await shim.Caller.FindImage(name), await shim.Caller.FindImage($"docker.io/{name}") })
            seen!.ShouldBeNamed([name], [$"{name.Split(':')[0]}@{image.Digest}"]);
    }

    [Theory]
    [InlineData("{0}")]
    [InlineData("docker.io/{0}")]
    [InlineData("{1}/{0}")]
    [InlineData("{2}@{3}")]
    [InlineData("{0}@{3}")]
    public async Task Removed_by_any_name_it_is_gone_and_removing_it_again_is_no_error(string form)
    {
        await using var offline = new Door(docker.Private);
        await using var shim = await docker.StartShim($"address: {offline.Address}\nauth: {offline.Auth}");
        await using var direct = await docker.Connect();
        var name = docker.NewName();
        var image = await docker.Private.Push(name);
        var given = string.Format(form, name, offline.Host, name.Split(':')[0], image.Digest);
        (await shim.Caller.Pull(name)).ShouldBeOk();

        await shim.Caller.Remove(given);

        (await direct.FindId(image.Id)).ShouldBeNull();
        (await shim.Caller.FindImage(name)).ShouldBeNull();
        await shim.Caller.Remove(given);
    }

    [Fact]
    public async Task A_name_with_tag_and_digest_is_the_one_with_the_digest()
    {
        await using var offline = new Door(docker.Private);
        await using var shim = await docker.StartShim($"address: {offline.Address}\nauth: {offline.Auth}");
        var name = docker.NewName();
        var image = await docker.Private.Push(name);

        (await shim.Caller.Pull($"{name}@{image.Digest}")).ShouldBeOk();

        (await shim.Caller.FindId($"{name}@{image.Digest}")).ShouldBe(image.Id);
        (await shim.Caller.FindId($"{name.Split(':')[0]}@{image.Digest}")).ShouldBe(image.Id);
    }
}
