using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Pulls;

/// <summary>A registry that says it has an image and sends no data of it: the runtime gives the pull up, in its own words.</summary>
[Collection<RealNodeTests>]
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class PullingFromARegistryThatSendsNoData(RealNode node)
{
    [Fact]
    public Task Another_one_serves_when_containerd_1_7_has_given_it_up_and_comes_first_for_that_image_from_then_on() =>
        AnotherOneShouldServe("1.7", isGivenUp: true, "", "sent no data within ");

    // As tried with 2.1: it counts no request that is under way ("active requests=0"), so it waits for as long as its caller does.
    [Fact]
    public Task Another_one_comes_first_when_the_timeout_has_ended_a_pull_of_containerd_2() =>
        AnotherOneShouldServe("2", isGivenUp: false, "timeout: 12s", "did not send all of it within 1"); // 12 s, or 11

    private async Task AnotherOneShouldServe(string containerd, bool isGivenUp, string more, string reason)
    {
        await using var silent = node.OpenDoor(node.Private);
        await using var mirror = node.OpenDoor(node.Another);
        silent.Behave = request => request.IsBlob ? DoorAnswer.Hang : DoorAnswer.PassOn;
        await using var shim = await node.StartShim(containerd, $$"""
            address: {{silent.Address}}
            auth: {{silent.Auth}}
            registries:
            - { address: "{{mirror.Address}}", auth: "{{mirror.Auth}}" }
            {{more}}
            """);
        var name = node.NewName();
        await node.Private.Push(name);
        var image = await node.Another.Push(name);

        var pulled = await shim.Caller.Pull(name);

        pulled.Code.ShouldBe(isGivenUp ? GrpcCode.Ok : GrpcCode.DeadlineExceeded, pulled.Message);
        shim.Process.ShouldSay(reason);
        var asked = silent.Requests.Count(request => request.IsBlob);
        asked.ShouldBeGreaterThan(0);
        if (isGivenUp)
            await shim.Caller.Remove(name);
        (await shim.Caller.Pull(name)).ShouldBeOk();
        (await shim.Caller.FindId(name)).ShouldBe(image.Id);
        silent.Requests.Count(request => request.IsBlob).ShouldBe(asked);
    }
}
