using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Pulls;

[Collection<RealNodeTests>]
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class RememberingPullsOverARestart(RealNode node)
{
    [Theory, ClassData<ContainerdVersions>]
    public async Task An_image_is_found_and_removed_although_its_registry_is_not_configured_any_more(string containerd)
    {
        using var files = new TempDirectory();
        await using var former = node.OpenDoor(node.Private);
        await using var present = node.OpenDoor(node.Open);
        await using var direct = await CriCaller.Connect(node.SocketOf(containerd));
        var name = node.NewName();
        var image = await node.Private.Push(name);
        await using (var before = await node.StartShimOn(files.File("state"), containerd, $"address: {former.Address}\nauth: {former.Auth}"))
            (await before.Caller.Pull(name)).ShouldBeOk();
        (await direct.FindId(name)).ShouldBeNull();
        await using var after = await node.StartShimOn(files.File("state"), containerd, $"address: {present.Address}");

        (await after.Caller.FindId(name)).ShouldBe(image.Id);
        await after.Caller.Remove(name);

        (await direct.FindId(image.Id)).ShouldBeNull();
        (await after.Caller.FindId(name)).ShouldBeNull();
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task A_record_that_is_broken_is_set_aside_and_pulls_go_on(string containerd)
    {
        using var files = new TempDirectory();
        Directory.CreateDirectory(files.File("state"));
        await File.WriteAllTextAsync(files.File("state/pulls.json"), "{\"version\":1,\"pulls\":[{", TestContext.Current.CancellationToken);
        await using var offline = node.OpenDoor(node.Open);
        await using var shim = await node.StartShimOn(files.File("state"), containerd, $"address: {offline.Address}");
        var name = node.NewName();
        var image = await node.Open.Push(name);

        (await shim.Caller.Pull(name)).ShouldBeOk();
        (await shim.Caller.FindId(name)).ShouldBe(image.Id);
        await shim.Process.StopAsync();

        shim.Process.ShouldSay("cannot be used: it is not JSON");
        (await File.ReadAllTextAsync(files.File("state/pulls.json"), TestContext.Current.CancellationToken)).ShouldContain(image.Id);
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task A_state_directory_that_cannot_be_written_to_is_a_warning(string containerd)
    {
        using var files = new TempDirectory();
        await File.WriteAllTextAsync(files.File("state"), "in the way", TestContext.Current.CancellationToken);
        await using var offline = node.OpenDoor(node.Open);
        await using var shim = await node.StartShimOn(files.File("state"), containerd, $"address: {offline.Address}");
        var name = node.NewName();
        var image = await node.Open.Push(name);

        (await shim.Caller.Pull(name)).ShouldBeOk();
        (await shim.Caller.FindId(name)).ShouldBe(image.Id);

        (await shim.Process.StopAsync()).ShouldBe(0);
        shim.Process.Output.Split('\n').Count(line => line.Contains("the state directory")).ShouldBe(1);
    }
}
