namespace ImageCriShim.Tests.Faults;

[Collection<FaultTests>]
[Trait("suite", "faults"), Trait("flavour", "each")]
public sealed class ShimFaults(FaultNode node)
{
    [Fact]
    public async Task A_shim_that_is_killed_costs_the_calls_under_way_and_a_moment()
    {
        await using var scene = await Scene.Set(node, "shim killed with SIGKILL, restarted");

        var effect = await scene.Suffer(
            () =>
            {
                scene.Shim.Signal(SupervisedShim.SigKill);
                return Task.CompletedTask;
            },
            TimeSpan.FromSeconds(1),
            () => Task.CompletedTask);

        effect.ShouldOnlyHaveFailed(("", GrpcStatus.Unavailable));
        scene.Shim.Starts.ShouldBe(2);
    }
}
