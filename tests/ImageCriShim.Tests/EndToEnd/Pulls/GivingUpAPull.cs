using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Pulls;

[Collection<RealNodeTests>]
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class GivingUpAPull(RealNode node)
{
    [Theory, ClassData<ContainerdVersions>]
    public async Task What_the_caller_cancels_is_cancelled_at_the_runtime_and_not_tried_elsewhere(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var mirror = node.OpenDoor(node.Another);
        var fetching = new TaskCompletionSource<DoorRequest>(TaskCreationOptions.RunContinuationsAsynchronously);
        offline.Behave = request => request.IsBlob && fetching.TrySetResult(request) | true ? DoorAnswer.Hang : DoorAnswer.PassOn;
        await using var shim = await StartShim(containerd, offline, mirror);
        var name = node.NewName();
        await node.Private.Push(name);
        await node.Another.Push(name);
        var pull = await shim.Caller.StartPull(name);
        var blob = await fetching.Task.WaitAsync(RawConnection.Patience, TestContext.Current.CancellationToken);

        pull.Cancel();

        await blob.Ended.WaitAsync(RawConnection.Patience, TestContext.Current.CancellationToken);
        (await shim.Caller.FindId(name)).ShouldBeNull();
        mirror.HasServed.ShouldBeFalse();
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task A_deadline_ends_a_pull_that_hangs_at_the_runtime(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var mirror = node.OpenDoor(node.Another);
        offline.Behave = request => request.IsBlob ? DoorAnswer.Hang : DoorAnswer.PassOn;
        await using var shim = await StartShim(containerd, offline, mirror);
        var name = node.NewName();
        await node.Private.Push(name);

        var pulled = await shim.Caller.Pull(name, deadline: TimeSpan.FromSeconds(1));

        pulled.Code.ShouldBe(GrpcCode.DeadlineExceeded, pulled.Message);
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task A_deadline_ends_a_pull_that_waits_for_a_registry(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var mirror = node.OpenDoor(node.Another);
        offline.Behave = _ => DoorAnswer.Hang;
        await using var shim = await StartShim(containerd, offline, mirror);

        var pulled = await shim.Caller.Pull(node.NewName(), deadline: TimeSpan.FromSeconds(0.5));

        pulled.Code.ShouldBe(GrpcCode.DeadlineExceeded, pulled.Message);
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task Without_a_deadline_the_configured_timeout_is_one(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var mirror = node.OpenDoor(node.Another);
        offline.Behave = request => request.IsBlob ? DoorAnswer.Hang : DoorAnswer.PassOn;
        await using var shim = await StartShim(containerd, offline, mirror, "timeout: 1s");
        var name = node.NewName();
        await node.Private.Push(name);

        var pulled = await shim.Caller.Pull(name);

        pulled.Code.ShouldBe(GrpcCode.DeadlineExceeded, pulled.Message);
    }

    private Task<ShimOnNode> StartShim(string containerd, Door offline, Door mirror, string more = "") => node.StartShim(containerd, $$"""
        address: {{offline.Address}}
        auth: {{offline.Auth}}
        registries:
        - { address: "{{mirror.Address}}", auth: "{{mirror.Auth}}" }
        {{more}}
        """);
}
