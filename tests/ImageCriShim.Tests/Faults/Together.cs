namespace ImageCriShim.Tests.Faults;

/// <summary>Nothing comes alone: faults of every kind at once and in any order, and when they are over all is well.</summary>
[Collection<FaultTests>]
[Trait("suite", "faults")]
public sealed class Together(FaultNode node)
{
    [Fact]
    public async Task After_everything_at_once_all_is_well()
    {
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await using var scene = await Scene.Set(node, "shim and containerd killed, registries out, at random");

        var effect = await scene.Suffer(() => Rage(scene, random, rounds: Long.Run ? 60 : 6), TimeSpan.Zero, () => Calm(scene));

        effect.ShouldOnlyHaveFailed(
            ("", GrpcStatus.Unavailable), ("", GrpcStatus.DeadlineExceeded), ("", GrpcStatus.Unknown), (Workload.Pulls, GrpcStatus.Cancelled)); // "server is not initialized yet"
    }

    private async Task Rage(Scene scene, Random random, int rounds)
    {
        LineFault[] faults = [LineFault.None, LineFault.Refused, LineFault.Dropped, LineFault.HungAfter(0), LineFault.HungAfter(400), LineFault.Broken, LineFault.Lossy];
        for (var round = 0; round < rounds; round++)
        {
            scene.Offline.Fault = faults[random.Next(faults.Length)];
            scene.Mirror.Fault = faults[random.Next(faults.Length)];
            if (random.Next(2) == 0)
                await scene.Shim.Signal(SupervisedShim.SigKill);
            if (random.Next(3) == 0)
                await RestartContainerd();
            await Task.Delay(random.Next(1000)); // a fault lasts
        }
    }

    private async Task RestartContainerd()
    {
        await node.StopContainerd("KILL");
        await node.ResumeContainerd();
    }

    private static Task Calm(Scene scene)
    {
        scene.Offline.Fault = scene.Mirror.Fault = LineFault.None;
        return Task.CompletedTask;
    }
}
