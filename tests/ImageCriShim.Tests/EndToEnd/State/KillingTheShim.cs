using ImageCriShim.Rewriting;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Hosting;
using ImageCriShim.Tests.Relay;

namespace ImageCriShim.Tests.EndToEnd.State;

/// <summary>SIGKILL at any moment of heavy writing.</summary>
[Trait("suite", "endtoend")]
public sealed class KillingTheShim : DaemonTest
{
    private const int SigKill = 9;

    [Fact]
    public async Task Leaves_a_record_that_loads_and_the_next_start_clears_up()
    {
        const int rounds = 12;
        var random = new Random(20260102);
        var state = Directory.File("state");
        StartRuntime();
        await using var registry = FakeRegistry.Start();
        registry.Behave = _ => FakeAnswer.Manifest(FakeRegistry.OciManifest);
        var recorded = 0;
        for (var round = 0; round < rounds; round++)
        {
            var shim = await StartShim($"address: {registry.Address}\n");
            LeftIn(state).ShouldBeEmpty();
            var pulling = Pull(round);
            var least = random.Next(1, 60);
            await Wait.Until(() => LeftIn(state).Length > 0 && Volatile.Read(ref pulled) >= least, "it is writing");
            (await shim.StopAsync(SigKill)).ShouldNotBe(0);
            await pulling;
            shim.Output.ShouldNotContain("cannot be used");

            var log = new CapturingLog();
            var pulls = new StateFile<RecordedPull>(StateJson.Pulls, new StateDirectory(state, log), log).TryRead(out var problem);
            problem.ShouldBeNullOrEmpty();
            pulls!.Count.ShouldBeGreaterThanOrEqualTo(recorded);
            recorded = pulls.Count;
        }

        recorded.ShouldBeGreaterThan(rounds);
    }

    private int pulled;

    /// <summary>One image after another, until the shim is gone.</summary>
    private async Task Pull(int round)
    {
        Volatile.Write(ref pulled, 0);
        try
        {
            await using var caller = await RawCaller.ConnectAsync(ShimSocketPath, new() { Record = false });
            for (var i = 0; ; i++)
            {
                (await caller.CallAsync(CriRelayTest.ImageService + "PullImage", CriRelayTest.For($"round{round}:{i}"))).Status.ShouldBe(0);
                Interlocked.Increment(ref pulled);
            }
        }
        catch (Exception e) when (e is ConnectionLostException or StreamResetException)
        {
            // It was killed.
        }
    }

    private static string[] LeftIn(string state) => System.IO.Directory.Exists(state) ? System.IO.Directory.GetFiles(state, "*.new") : [];
}
