using ImageCriShim.Tests.Fakes;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Cri;

/// <summary>What callers are told where the runtime is silent or cannot be asked.</summary>
public sealed class NotKnowingInTime : PullTest
{
    public NotKnowingInTime()
    {
        Prepare();
        Expect("did not send all of it");
        Expect("pull of ");
    }

    [Fact]
    public async Task A_pull_that_its_deadline_ends_says_what_was_tried()
    {
        Second.Add("team/app", "1.0");
        await Start();

        var answer = await PullInVain();

        answer.Status.ShouldBe(4);
        Plain(answer.Message).ShouldBe(
            "image origin.local/team/app:1.0 could not be pulled: first.local/team/app:1.0 is not there; second.local/team/app:1.0: context deadline exceeded");
    }

    [Fact]
    public async Task After_a_pull_that_its_deadline_ended_the_next_one_asks_the_registries_again()
    {
        First.Add("team/app", "1.0");
        CanPull(Image(First.Host), Image(Second.Host));
        await Start();
        await PullRef(Image()); // where it is is known from now on

        (await PullInVain()).Status.ShouldBe(4);

        var asked = First.CountOf("team/app");
        await PullRef(Image());
        First.CountOf("team/app").ShouldBeGreaterThan(asked);
    }

    [Fact]
    public async Task An_image_is_not_called_absent_while_the_runtime_cannot_be_asked_for_its_other_names()
    {
        Runtime.Images.Add(Image(First.Host));
        await Start();
        (await Caller.CallAsync(ImageService + "ImageStatus", Field(1, Field(1, "not/there:1")))).Status.ShouldBe(0);
        foreach (var connection in Runtime.Connections.Skip(1)) // the shim's own
            connection.Abort();
        File.Move(RuntimeSocketPath, RuntimeSocketPath + ".away");

        var answer = await Caller.CallAsync(ImageService + "ImageStatus", Field(1, Field(1, Image())));

        File.Move(RuntimeSocketPath + ".away", RuntimeSocketPath);
        answer.Status.ShouldBe(14);
        answer.Message.ShouldContain(RuntimeSocketPath);
        (await FindId(Image())).ShouldNotBeEmpty();
    }

    private async Task<RawAnswer> PullInVain()
    {
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Runtime.Images.BeforePull = (_, cancelled) =>
        {
            asked.TrySetResult();
            return Task.Delay(Timeout.Infinite, cancelled);
        };
        var pull = Pull(Image());
        await Wait.For(asked.Task);
        var answer = await EndByDeadline(pull);
        Runtime.Images.BeforePull = (_, _) => Task.CompletedTask;
        return answer;
    }
}
