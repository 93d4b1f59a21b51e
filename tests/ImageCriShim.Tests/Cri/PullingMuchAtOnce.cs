using ImageCriShim.Cri;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Cri;

/// <summary>Far more pulls than a node has containers. The others, and all other calls, go on.</summary>
[Trait("suite", "slow")]
public sealed class PullingMuchAtOnce : PullTest
{
    [Fact]
    public async Task Beyond_the_bound_is_refused_by_name_while_the_others_wait_for_registries_that_hang()
    {
        const int ofEach = 1_000;
        const int callers = 5;
        const int refused = callers * ofEach - CallLimits.MaxPulls;
        Expect("4096 pulls are in progress");
        Prepare();
        First.Behave = _ => FakeAnswer.Hang;
        Second.Behave = _ => FakeAnswer.Hang;
        await Start();

        var answers = new List<Task<RawAnswer>>();
        for (var caller = 0; caller < callers; caller++)
        {
            var connection = await Connect(new() { Record = false });
            answers.AddRange(Enumerable.Range(caller * ofEach, ofEach).Select(i => Begin(connection, $"app{i}")));
        }

        await Wait.Until(() => answers.Count(answer => answer.IsCompleted) == refused, "all that are too many are refused");
        foreach (var answer in answers.Where(answer => answer.IsCompleted))
        {
            (await answer).Status.ShouldBe(8);
            (await answer).Message.ShouldBe("image-cri-shim: 4096 pulls are in progress, which is the limit; try again when some have ended");
        }

        (await Caller.CallAsync("/test.Fake/Unary", [1])).Status.ShouldBe(0);
        (await FindId(Image())).ShouldBeEmpty();
        First.Requests.Count.ShouldBeLessThanOrEqualTo(ImageCriShim.Registries.ProbeLines.MaxPerRegistry);
    }

    [Fact]
    public async Task The_runtime_gets_so_many_at_once_and_the_others_afterwards_and_images_are_found_meanwhile()
    {
        const int pulls = CallLimits.MaxPullsAtRuntime + 50;
        Prepare();
        Runtime.Images.OnlyPulls.Clear();
        var (go, atRuntime) = (new TaskCompletionSource(), 0);
        Runtime.Images.BeforePull = (_, _) =>
        {
            Interlocked.Increment(ref atRuntime);
            return go.Task;
        };
        First.Behave = _ => FakeAnswer.Manifest(FakeRegistry.OciManifest);
        var there = Runtime.Images.Add($"{First.Host}/team/app:1.0");
        await Start();

        var answers = Enumerable.Range(0, pulls).Select(i => Begin(Caller, $"app{i}")).ToList();
        await Wait.Until(() => Volatile.Read(ref atRuntime) == CallLimits.MaxPullsAtRuntime, "as many as may be are there");
        (await FindId(Image())).ShouldBe(there.Id); // by the candidate's name, over a connection of our own
        Volatile.Read(ref atRuntime).ShouldBe(CallLimits.MaxPullsAtRuntime);
        go.SetResult();

        (await Task.WhenAll(answers)).ShouldAllBe(answer => answer.Status == 0);
        atRuntime.ShouldBe(pulls);
    }

    private Task<RawAnswer> Begin(RawCaller caller, string app) =>
        caller.CallAsync(ImageService + "PullImage", ProtoFields.Field(1, ProtoFields.Field(1, $"{OriginDown}/team/{app}:1.0")));
}
