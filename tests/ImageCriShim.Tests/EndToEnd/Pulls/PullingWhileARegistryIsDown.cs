using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Pulls;

[Collection<RealNodeTests>]
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class PullingWhileARegistryIsDown(RealNode node)
{
    [Theory, ClassData<ContainerdVersions>]
    public async Task A_registry_that_refuses_connections_is_passed_over(string containerd)
    {
        await using var down = node.OpenDoor(node.Private);
        await down.Shut();
        await TheNextOneShouldServe(containerd, down.Host, "connection refused");
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task A_registry_that_takes_requests_and_never_answers_is_passed_over(string containerd)
    {
        await using var hung = node.OpenDoor(node.Private);
        hung.Behave = _ => DoorAnswer.Hang;
        await TheNextOneShouldServe(containerd, hung.Host, "no answer within 1 s");
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task A_registry_whose_packets_are_lost_is_passed_over(string containerd)
    {
        using var lost = new LostPackets();
        await TheNextOneShouldServe(containerd, lost.Host, "no connection within 1 s");
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task A_registry_that_is_out_of_order_is_passed_over(string containerd)
    {
        await using var broken = node.OpenDoor(node.Private);
        broken.Behave = _ => DoorAnswer.Refuse(503);
        await TheNextOneShouldServe(containerd, broken.Host, "HTTP 503");
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task If_nobody_else_has_the_image_the_error_says_that_a_registry_is_unavailable(string containerd)
    {
        await using var down = node.OpenDoor(node.Private);
        await down.Shut();
        await using var shim = await node.StartShim(containerd, $"address: {down.Address}\nauth: {down.Auth}");
        var name = node.NewName();

        var pulled = await shim.Caller.Pull(name);

        pulled.Code.ShouldBe(GrpcCode.Unknown); // kubelet knows the prefix only with this code
        pulled.Message.ShouldStartWith("RegistryUnavailable: ");
        pulled.Message.ShouldContain($"{down.Host}/{name} unreachable (connection refused)");
        pulled.Message.ShouldContain($"{name} (as given): ");
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task One_that_fails_for_one_image_gives_all_others(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var shim = await node.StartShim(containerd, $"address: {offline.Address}\nauth: {offline.Auth}");
        var (broken, name) = (node.NewName(), node.NewName());
        offline.Behave = request => request.Path.Contains(broken.Split(':')[0]) ? DoorAnswer.Refuse(503) : DoorAnswer.PassOn;
        var image = await node.Private.Push(name);

        (await shim.Caller.Pull(broken)).Code.ShouldNotBe(GrpcCode.Ok);
        var pulled = await shim.Caller.Pull(name);

        pulled.ShouldBeOk();
        pulled.ImageRef.ShouldBe(image.Id);
    }

    private async Task TheNextOneShouldServe(string containerd, string downHost, string reason)
    {
        await using var mirror = node.OpenDoor(node.Another);
        await using var shim = await node.StartShim(containerd, $$"""
            address: http://{{downHost}}
            auth: {{node.Private.Auth}}
            probeTimeout: 1s
            registries:
            - { address: "{{mirror.Address}}", auth: "{{mirror.Auth}}" }
            """);
        var name = node.NewName();
        var image = await node.Another.Push(name);

        var pulled = await shim.Caller.Pull(name);

        pulled.ShouldBeOk();
        pulled.ImageRef.ShouldBe(image.Id);
        mirror.HasServed.ShouldBeTrue();
        shim.Process.ShouldSay($"{downHost} unreachable ({reason})");
    }
}
