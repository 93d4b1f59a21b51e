namespace ImageCriShim.Tests.Faults;

[Collection<FaultTests>]
[Trait("suite", "faults")]
public sealed class ShimFaults(FaultNode node)
{
    [Fact]
    public async Task A_shim_that_is_killed_costs_the_calls_under_way_and_a_moment()
    {
        await using var scene = await Scene.Set(node, "shim killed with SIGKILL, restarted");

        var effect = await scene.Suffer(
            () => scene.Shim.Signal(SupervisedShim.SigKill),
            TimeSpan.FromSeconds(1),
            () => Task.CompletedTask);

        effect.ShouldOnlyHaveFailed(("", GrpcStatus.Unavailable));
        scene.Shim.Starts.ShouldBe(2);
    }

    [Fact]
    public async Task Upgrades_under_load_fail_no_call_in_ten_thousand()
    {
        await using var scene = await Scene.Set(node, "shim upgraded again and again (socket unit)", new() { HoldsSocket = true, Kubelets = 4 });

        var effect = await scene.Suffer(() => Upgrade(scene, calls: 10_000), TimeSpan.Zero, () => Task.CompletedTask);

        effect.Through.Since.Count.ShouldBeGreaterThan(9_900); // some of them had begun before
        effect.ShouldNotHaveFailed();
        scene.Shim.Starts.ShouldBeGreaterThan(4);
    }

    private static async Task Upgrade(Scene scene, int calls)
    {
        for (var end = scene.Calls + calls; scene.Calls < end || scene.Shim.Starts <= 4;)
        {
            await scene.Shim.Restart();
            await Task.Delay(500); // so that the new one has served
        }
    }
}
