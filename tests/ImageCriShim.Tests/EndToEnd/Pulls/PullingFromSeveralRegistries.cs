using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Pulls;

[Collection<RealNodeTests>]
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class PullingFromSeveralRegistries(RealNode node)
{
    [Theory, ClassData<ContainerdVersions>]
    public async Task Of_two_the_higher_one_that_has_it_serves_it(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var mirror = node.OpenDoor(node.Another);
        await using var shim = await node.StartShim(containerd, $$"""
            address: {{offline.Address}}
            auth: {{offline.Auth}}
            registries:
            - { address: "{{mirror.Address}}", auth: "{{mirror.Auth}}" }
            """);

        await ShouldComeFromTheFirst(shim, node.Private, node.Another);
        await ShouldComeFromTheFirst(shim, node.Private);
        await ShouldComeFromTheFirst(shim, node.Another);
        await ShouldComeFromTheFirst(shim);
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task Of_three_the_highest_one_that_has_it_serves_it(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var mirror = node.OpenDoor(node.Another);
        await using var fast = node.OpenDoor(node.Open);
        await using var shim = await node.StartShim(containerd, $$"""
            address: {{offline.Address}}
            auth: {{offline.Auth}}
            registries:
            - { address: "{{mirror.Address}}", auth: "{{mirror.Auth}}" }
            - { address: "{{fast.Address}}", priority: 1200 }
            """);

        await ShouldComeFromTheFirst(shim, node.Open, node.Private, node.Another);
        await ShouldComeFromTheFirst(shim, node.Open, node.Another);
        await ShouldComeFromTheFirst(shim, node.Private, node.Another);
        await ShouldComeFromTheFirst(shim, node.Another);
        await ShouldComeFromTheFirst(shim);
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task Priority_decides_and_not_who_answers_first(string containerd)
    {
        await using var slow = node.OpenDoor(node.Open);
        await using var quick = node.OpenDoor(node.Another);
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var answered = Task.Run(async () =>
        {
            await asked.Task;
            await Task.Delay(200); // until then the quick one's answer is surely there
        }, TestContext.Current.CancellationToken);
        quick.Behave = _ =>
        {
            asked.TrySetResult();
            return DoorAnswer.PassOn;
        };
        slow.Behave = _ => DoorAnswer.PassOnAfter(answered);
        await using var shim = await node.StartShim(containerd, $$"""
            address: {{slow.Address}}
            registries:
            - { address: "{{quick.Address}}", auth: "{{quick.Auth}}" }
            """);

        await ShouldComeFromTheFirst(shim, node.Open, node.Another);

        asked.Task.IsCompleted.ShouldBeTrue(); // both were asked at once, else the slow one would still wait
    }

    /// <summary>Each registry has an image of its own under the name, so the image tells where it came from; last is the origin.</summary>
    private async Task ShouldComeFromTheFirst(ShimOnNode shim, params LabRegistry[] holders)
    {
        var name = node.NewName();
        var images = new List<TestImage>();
        foreach (var holder in holders.Append(node.OriginRegistry))
            images.Add(await holder.Push(name));

        var pulled = await shim.Caller.Pull(name);

        pulled.ShouldBeOk();
        pulled.ImageRef.ShouldBe(images[0].Id, $"the image was at {holders.Length} of the registries");
        (await shim.Caller.FindId(name)).ShouldBe(images[0].Id);
    }
}
