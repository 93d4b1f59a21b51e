using System.Diagnostics;
using ImageCriShim.Tests.Fakes;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Faults;

/// <summary>
/// Registries come and go at random while sixteen pullers pull: each pull has an end in bounded time, none is lost, none comes from where it
/// must not, and each error names who was asked.
/// </summary>
[Collection<FaultTests>]
[Trait("suite", "faults")]
public sealed class TenThousandPulls(FaultNode node)
{
    private const int Pulls = 10_000;
    private const int Pullers = 16;
    private const int Images = 100; // of each origin
    private const int Seed = 20;

    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(20); // each is allowed 3 s; machines are busy
    private static readonly TimeSpan s_untilAllAreFound = TimeSpan.FromSeconds(5); // kubelet's next attempt comes after 10 s

    [Fact]
    public async Task All_end_in_time_and_right()
    {
        await using var registries = new PrivateRegistries(Images);
        using var directory = new TempDirectory();
        await using var runtime = FakeRuntime.Start(directory.File("cri.sock"), new() { Record = false });
        runtime.KeepCalls = false;
        runtime.On("/runtime.v1.ImageService/PullImage", registries.Pull);
        await using var shim = await SupervisedShim.Start(directory, runtime.SocketPath, $"image: {directory.File("state")}\n{registries.Yaml}");
        using var ending = new CancellationTokenSource();
        var outages = registries.ComeAndGo(Seed, ending.Token);
        var begun = Stopwatch.StartNew();

        var pulls = (await Task.WhenAll(Enumerable.Range(0, Pullers).Select(puller => Pull(shim.SocketPath, puller)))).SelectMany(some => some).ToArray();

        await ending.CancelAsync();
        await outages;
        var allAreBack = Stopwatch.StartNew();
        var (failed, longest) = (pulls.Where(pull => pull.Failed).ToArray(), pulls.Max(pull => pull.Took));
        node.Table.Add(
            "10,000 pulls, three registries come and go",
            $"{pulls.Length - failed.Length} pulled, {failed.Length} failed, longest {longest.TotalSeconds:0.0} s, all in {begun.Elapsed.TotalSeconds:0} s");
        pulls.Length.ShouldBe(Pulls);
        runtime.Faults.ShouldBeEmpty();
        registries.Trespasses.ShouldBeEmpty();
        longest.ShouldBeLessThan(s_longest);
        failed.Length.ShouldBeLessThan(Pulls / 2);
        failed.Where(pull => pull.Status is not (GrpcStatus.Unknown or GrpcStatus.DeadlineExceeded) || !registries.Names(pull.Text)).Take(10).ShouldBeEmpty();
        shim.Starts.ShouldBe(1);
        await AllShouldBeThereAgain(shim, allAreBack);
    }

    private static async Task<List<CallSeen>> Pull(string socketPath, int puller)
    {
        using var channel = new Channel(socketPath);
        var random = new Random(Seed + puller);
        var seen = new List<CallSeen>();
        for (var i = 0; i < Pulls / Pullers; i++)
        {
            var begun = Stopwatch.GetTimestamp();
            var image = PrivateRegistries.Image(random.Next(3), random.Next(Images));
            var outcome = await channel.CallAsync("/runtime.v1.ImageService/PullImage", Field(1, Field(1, image)));
            var isRight = !outcome.IsOk || FindText(outcome.Message, 1) == PrivateRegistries.RefOf(image);
            seen.Add(new($"{puller}", image, begun, Stopwatch.GetTimestamp(), isRight ? outcome.Status : GrpcStatus.Wrong, outcome.Text));
        }

        return seen;
    }

    /// <summary>A registry that failed within the last second is not asked again; a pull that begins well after that must succeed.</summary>
    private static async Task AllShouldBeThereAgain(SupervisedShim shim, Stopwatch allAreBack)
    {
        using var channel = new Channel(shim.SocketPath);
        for (var origin = 0; origin < 3; origin++)
        {
            var image = PrivateRegistries.Image(origin, 0);
            Outcome outcome;
            do
            {
                var isLast = allAreBack.Elapsed > s_untilAllAreFound;
                outcome = await channel.CallAsync("/runtime.v1.ImageService/PullImage", Field(1, Field(1, image)));
                (outcome.IsOk || !isLast).ShouldBeTrue($"{image}: {outcome.Text}");
            } while (!outcome.IsOk);
        }
    }
}
