using ImageCriShim.Cri;
using ImageCriShim.Tests.Fakes;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Cri;

/// <summary>A registry that has images and does not give them costs one pull the runtime's patience, not every one.</summary>
public sealed class PassingOverStalledRegistries : PullTest
{
    private const string AtFirst = "first.local/team/app:1.0";
    private const string AtSecond = "second.local/team/app:1.0";
    private const string AsGiven = "origin.local/team/app:1.0";

    public PassingOverStalledRegistries()
    {
        Prepare();
        Expect("pull of ");
        Expect("did not give it");
        First.Add("team/app", "1.0");
        Second.Add("team/app", "1.0");
        CanPull(Image(First.Host), Image(Second.Host), Image());
    }

    [Fact]
    public async Task After_a_pull_that_did_not_come_from_it_others_go_to_the_next_registry_first()
    {
        await Start();
        await Stall(StalledRegistries.Patience);

        (await PulledNow()).ShouldBe([AtSecond]);
    }

    [Fact]
    public async Task It_is_tried_in_its_turn_again_when_its_rest_is_over()
    {
        await Start();
        await Stall(StalledRegistries.Patience);
        Time.Advance(StalledRegistries.Rest);

        (await PulledNow()).ShouldBe([AtFirst]);
    }

    [Fact]
    public async Task It_is_tried_last_and_once_it_has_given_an_image_in_its_turn_again()
    {
        await Start();
        await Stall(StalledRegistries.Patience);
        Runtime.Images.FailPulls[Image(Second.Host)] = (5, "not found");
        Runtime.Images.FailPulls[Image()] = (5, "not found");

        var pulled = await PulledNow();
        (pulled[0], pulled[^1]).ShouldBe((AtSecond, AtFirst)); // in between as given, if nobody has waited for what the second says
        (await PulledNow()).ShouldBe([AtFirst]);
    }

    [Fact]
    public async Task Where_no_other_registry_has_the_image_it_is_tried_after_the_name_as_given()
    {
        Second.Behave = _ => new FakeAnswer(404);
        await Start();
        await Stall(StalledRegistries.Patience);
        Runtime.Images.FailPulls[Image(Second.Host)] = (5, "not found");
        Runtime.Images.FailPulls[Image()] = (5, "not found");

        (await PulledNow()).Where(pull => pull != AtSecond).ShouldBe([AsGiven, AtFirst]); // the second is tried if nobody has waited for what it says
    }

    [Fact]
    public async Task One_that_refuses_soon_is_none()
    {
        await Start();
        await Stall(StalledRegistries.Patience - TimeSpan.FromMilliseconds(1));

        (await PulledNow()).ShouldBe([AtFirst]);
    }

    [Fact]
    public async Task A_pull_that_its_deadline_ended_counts_too()
    {
        await Start();
        var (asked, _) = Hold();
        var pull = Pull(Image());
        await Wait.For(asked);
        (await EndByDeadline(pull)).Status.ShouldBe(4);

        (await PulledNow()).ShouldBe([AtSecond]);
    }

    [Fact]
    public async Task A_pull_that_its_caller_gives_up_says_nothing_about_it()
    {
        await Start();
        var (asked, ended) = Hold();
        var pull = Caller.Start(ImageService + "PullImage");
        await pull.SendDataAsync(Fakes.GrpcMessage.Encode(Field(1, Field(1, Image()))), end: true);
        await Wait.For(asked);
        Time.Advance(StalledRegistries.Patience);
        pull.Cancel();
        await Wait.For(ended);

        (await PulledNow()).ShouldBe([AtFirst]);
    }

    /// <summary>A pull from the first registry that the runtime gives up after this time, and gets from the next.</summary>
    private async Task Stall(TimeSpan after)
    {
        var (asked, go) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        Runtime.Images.BeforePull = (name, _) => name == Image(First.Host) && asked.TrySetResult() ? go.Task : Task.CompletedTask;
        Runtime.Images.FailPulls[Image(First.Host)] = (2, "context canceled");
        var pull = PullRef(Image());
        await Wait.For(asked.Task);
        Time.Advance(after);
        go.SetResult();
        await pull;
        Runtime.Images.FailPulls.Clear();
        Plain(Image(First.Host)).ShouldBe(AtFirst);
    }

    /// <summary>The next pull from the first registry hangs until it is cancelled.</summary>
    private (Task Asked, Task Ended) Hold()
    {
        var (asked, ended) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        Runtime.Images.BeforePull = async (_, cancelled) =>
        {
            if (asked.TrySetResult())
                await Task.Delay(Timeout.Infinite, cancelled).ContinueWith(_ => ended.SetResult(), TaskScheduler.Default);
        };
        return (asked.Task, ended.Task);
    }

    private async Task<string[]> PulledNow()
    {
        var before = Pulls.Length;
        (await PullRef(Image())).ShouldNotBeEmpty();
        return [.. Pulls.Skip(before).Select(pull => pull.Split(' ')[0])];
    }
}
