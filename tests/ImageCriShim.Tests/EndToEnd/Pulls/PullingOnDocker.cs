using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Pulls;

/// <summary>A real docker, as cri-dockerd uses it: its images have names and IDs of other kinds than containerd's.</summary>
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class PullingOnDocker(RealDocker docker) : IClassFixture<RealDocker>
{
    [Fact]
    public async Task The_image_comes_from_the_offline_registry_with_its_password()
    {
        await using var offline = new Door(docker.Private);
        await using var shim = await docker.StartShim($"address: {offline.Address}\nauth: {offline.Auth}");
        var name = docker.NewName();
        var image = await docker.Private.Push(name);

        (await shim.Caller.FindId(name)).ShouldBeNull();
        var pulled = await shim.Caller.Pull(name);

        pulled.ShouldBeOk();
        pulled.ImageRef.ShouldEndWith($"@{image.Digest}"); // its first digest, as cri-dockerd has it
        (await shim.Caller.FindId(name)).ShouldBe(image.Id);
        (await shim.Caller.FindId($"docker.io/{name}")).ShouldBe(image.Id);
        offline.HasServed.ShouldBeTrue();
        shim.Process.ShouldNotHaveComplained();
    }

    [Fact]
    public async Task It_is_listed_by_the_name_that_was_given()
    {
        await using var offline = new Door(docker.Private);
        await using var shim = await docker.StartShim($"address: {offline.Address}\nauth: {offline.Auth}");
        await using var direct = await docker.Connect();
        var name = docker.NewName();
        var image = await docker.Private.Push(name);

        (await shim.Caller.Pull($"quay.io/{name}")).ShouldBeOk();

        var repository = $"quay.io/{name.Split(':')[0]}";
        foreach (var seen in new[] { await shim.Caller.FindImage($"quay.io/{name}"), await Listed(shim.Caller, image), await shim.Caller.FindImage(image.Id) })
            seen!.ShouldBeNamed([$"quay.io/{name}"], [$"{repository}@{image.Digest}"]);
        (await Listed(direct, image)).Tags.ShouldBe([$"{offline.Host}/{name}"]);
    }

    [Fact]
    public async Task What_was_pulled_by_digest_is_found_by_it()
    {
        await using var offline = new Door(docker.Private);
        await using var shim = await docker.StartShim($"address: {offline.Address}\nauth: {offline.Auth}");
        var name = docker.NewName();
        var image = await docker.Private.Push(name);
        var given = $"quay.io/{name.Split(':')[0]}@{image.Digest}";

        (await shim.Caller.Pull(given)).ShouldBeOk();

        (await shim.Caller.FindImage(given))!.Id.ShouldBe(image.Id);
    }

    [Fact]
    public async Task Removed_by_its_ID_it_is_gone_under_every_name()
    {
        await using var offline = new Door(docker.Private);
        await using var shim = await docker.StartShim($"address: {offline.Address}\nauth: {offline.Auth}");
        await using var direct = await docker.Connect();
        var name = docker.NewName();
        var image = await docker.Private.Push(name);
        (await shim.Caller.Pull(name)).ShouldBeOk();
        (await shim.Caller.Pull($"quay.io/{name}")).ShouldBeOk();

        await shim.Caller.Remove(image.Id);

        (await direct.FindId(image.Id)).ShouldBeNull();
        (await shim.Caller.FindImage(name)).ShouldBeNull();
        (await shim.Caller.FindImage($"quay.io/{name}")).ShouldBeNull();
    }

    [Fact]
    public async Task An_image_that_nobody_has_is_an_error_that_says_so_once()
    {
        await using var offline = new Door(docker.Private);
        await using var shim = await docker.StartShim($"address: {offline.Address}\nauth: {offline.Auth}");
        var (name, origin) = (docker.NewName(), docker.Strange.Host);

        var pulled = await shim.Caller.Pull($"{origin}/{name}");

        pulled.Code.ShouldBe(GrpcCode.Unknown);
        pulled.Message.ShouldBe(
            $"image {origin}/{name} could not be pulled: {offline.Host}/{name} is not there; {origin}/{name} (as given): manifest unknown: manifest unknown");
    }

    [Fact]
    public async Task Registries_that_cannot_be_reached_are_told_as_what_they_are()
    {
        using var offline = new ClosedPort();
        using var origin = new ClosedPort();
        await using var shim = await docker.StartShim($"address: http://127.0.0.1:{offline.Number}");
        var name = $"127.0.0.1:{origin.Number}/{docker.NewName()}";

        var pulled = await shim.Caller.Pull(name);

        pulled.Message.ShouldStartWith($"RegistryUnavailable: image {name} could not be pulled: ");
        pulled.Message.ShouldContain($"{name} (as given): Get \"http://127.0.0.1:{origin.Number}/v2/\": dial tcp 127.0.0.1:{origin.Number}: connect: connection refused");
        pulled.Message.ShouldNotContain("daemon");
    }

    [Fact]
    public async Task A_registry_that_docker_takes_for_TLS_fails_in_docker_s_words()
    {
        var host = RealDocker.ByAddress(docker.Strange);
        await using var shim = await docker.StartShim($"address: http://{host}");
        var name = docker.NewName();
        await docker.Strange.Push(name);

        var pulled = await shim.Caller.Pull($"{docker.Another.Host}/{name}");

        pulled.Message.ShouldContain($"{host}/{name}: Get \"https://{host}/v2/\": http: server gave HTTP response to HTTPS client");
    }

    [Fact]
    public async Task One_that_it_was_told_of_serves_it()
    {
        var host = RealDocker.ByAddress(docker.Told);
        await using var shim = await docker.StartShim($"address: http://{host}");
        var name = docker.NewName();
        var image = await docker.Told.Push(name);

        (await shim.Caller.Pull(name)).ShouldBeOk();
        (await shim.Caller.FindId(name)).ShouldBe(image.Id);
    }

    [Fact]
    public async Task A_wrong_password_is_told_without_it()
    {
        await using var offline = new Door(docker.Private);
        await using var shim = await docker.StartShim($"address: {offline.Address}\nauth: admin:{Secrets.Wrong}\ndebug: true");
        var name = docker.NewName();
        await docker.Private.Push(name);

        var pulled = await shim.Caller.Pull($"{docker.Strange.Host}/{name}");

        pulled.Message.ShouldContain($"{offline.Host}/{name} denied (HTTP 401 for user admin)");
        Secrets.ShouldNotBeIn(pulled.Message);
        Secrets.ShouldNotBeIn(shim.Process.Output);
    }

    [Fact]
    public async Task A_pod_s_secret_goes_to_the_host_that_is_named()
    {
        await using var offline = new Door(docker.Private);
        await using var origin = new Door(docker.Another);
        await using var shim = await docker.StartShim($"address: {offline.Address}\nauth: {offline.Auth}");
        var name = docker.NewName();
        var image = await docker.Another.Push(name);

        var pulled = await shim.Caller.Pull($"{origin.Host}/{name}", new PodSecret("robot", Secrets.OfAnother));

        pulled.ShouldBeOk();
        (await shim.Caller.FindId($"{origin.Host}/{name}")).ShouldBe(image.Id);
    }

    private static async Task<ImageOnNode> Listed(CriCaller caller, TestImage image) => (await caller.ListImages()).Single(listed => listed.Id == image.Id);
}
