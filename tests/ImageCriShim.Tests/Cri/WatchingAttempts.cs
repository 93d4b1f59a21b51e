using ImageCriShim.Cri;
using ImageCriShim.Registries;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Cri;

/// <summary>A pull by a remembered answer begins at once, and its registry is asked meanwhile whether it is there.</summary>
public sealed class WatchingAttempts : PullTest
{
    private static readonly TimeSpan s_probeTimeout = TimeSpan.FromSeconds(5);

    private const int Many = 99;

    private static readonly string[] s_repositories = ["team/app", "team/tool", "team/other"];

    private readonly TaskCompletionSource _go = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public WatchingAttempts()
    {
        Array.ForEach(["pull of ", "not pulled"], Expect);
        Prepare();
        foreach (var repository in s_repositories)
        {
            First.Add(repository, "1.0");
            Second.Add(repository, "1.0");
            CanPull($"{First.Host}/{repository}:1.0", $"{Second.Host}/{repository}:1.0");
        }
    }

    [Fact]
    public async Task One_that_ends_at_once_asks_nobody()
    {
        await Start();
        await Remember("team/app");
        var asked = First.Requests.Count;

        await PullRef(Image());
        Time.Advance(s_probeTimeout);

        Time.DueIn(s_probeTimeout).ShouldBe(0); // no question has begun
        First.Requests.Count.ShouldBe(asked);
    }

    [Fact]
    public async Task A_hundred_of_many_images_ask_their_registry_once()
    {
        await Start();
        await Remember(s_repositories);
        Hold(First.Host);
        var asked = First.Requests.Count;

        var held = await StartMany();
        await Pass(AttemptWatch.Moment);
        _go.SetResult();
        await Wait.For(Task.WhenAll(held));

        First.Requests.Count.ShouldBe(asked + 1);
        Pulls.ShouldNotContain(pull => pull.StartsWith("second.local"));
    }

    [Fact]
    public async Task A_hundred_whose_registry_hangs_leave_it_after_one_question()
    {
        await Start();
        await Remember(s_repositories);
        Hold(First.Host);
        First.Behave = _ => FakeAnswer.Hang;
        var asked = First.Requests.Count;

        var held = await StartMany();
        Time.Advance(AttemptWatch.Moment);
        await Wait.Until(
            () => First.Requests.Count == asked + 1 && Time.DueIn(s_probeTimeout - SecondOpinion.Patience) == 1, "it is asked");
        Time.Advance(s_probeTimeout - SecondOpinion.Patience);
        await Wait.Until(() => First.Requests.Count == asked + 2, "it is doubted");
        Time.Advance(SecondOpinion.Patience);
        await Wait.For(Task.WhenAll(held));

        First.Requests.Count.ShouldBe(asked + 2);
        Pulls.Count(pull => pull.StartsWith("second.local")).ShouldBe(Many);
    }

    [Fact]
    public async Task One_whose_registry_answers_goes_on_whatever_happens_to_it_later()
    {
        await Start();
        await Remember("team/app");
        Hold(First.Host);
        var held = PullRef(Image());
        await BeginWatch();
        await Pass(AttemptWatch.Moment);
        First.Behave = _ => new FakeAnswer(503);
        (await Pull($"{OriginDown}/team/tool:1.0")).Status.ShouldBe(0); // from the second
        Outages.All.Count.ShouldBe(1);

        Time.Advance(TimeSpan.FromMinutes(10)); // data may flow
        _go.SetResult();

        await Wait.For(held);
        Pulls.Count(pull => pull == "second.local/team/app:1.0").ShouldBe(0);
    }

    [Fact]
    public async Task One_of_an_image_that_its_registry_fails_for_alone_goes_on()
    {
        await Start();
        await Remember("team/tool", "team/app");
        Hold(First.Host);
        First.Behave = request => request.Path.Contains("team/app") ? FakeAnswer.Hang : null;
        var held = PullRef(Image());
        await BeginWatch();

        await PassSilence(First, isDoubtAnswered: true);
        await Wait.Until(() => Log.Lines.Any(line => line.StartsWith("1302 ")), "it answers for others");
        _go.SetResult();

        await Wait.For(held);
        Outages.All.ShouldBeEmpty();
        Pulls.ShouldBe(["first.local/team/tool:1.0", "first.local/team/app:1.0", "first.local/team/app:1.0"]);
    }

    [Fact]
    public async Task Of_several_registries_that_hang_each_is_left_and_the_name_as_given_comes_last()
    {
        CanPull(Image());
        await Start();
        await Remember("team/app");
        Runtime.Images.Clear(); // else it would be the answer
        Hold(First.Host, Second.Host);
        First.Behave = Second.Behave = _ => FakeAnswer.Hang;
        var held = PullRef(Image());

        await BeginWatch();
        await PassSilence(First);
        await BeginWatch();
        await PassSilence(Second);
        await Wait.Until(() => Time.DueIn(Outages.FirstInterval) == 2, "the first one has its last chance, and the second is to be asked again");
        Time.Advance(Outages.FirstInterval);

        await Wait.For(held);
        Pulls.ShouldBe(["first.local/team/app:1.0", "first.local/team/app:1.0", "second.local/team/app:1.0", "origin.local/team/app:1.0"]);
        Log.Lines.Count(line => line.StartsWith("1114 ")).ShouldBe(2);
    }

    [Fact]
    public async Task One_that_its_caller_gives_up_leaves_the_question_to_those_who_come_later()
    {
        await Start();
        await Remember("team/app");
        Hold(First.Host);
        First.Behave = _ => FakeAnswer.Hang;
        var pull = Caller.Start(ImageService + "PullImage");
        await pull.SendDataAsync(Fakes.GrpcMessage.Encode(ProtoFields.Field(1, ProtoFields.Field(1, Image()))), end: true);
        await BeginWatch();
        Time.Advance(AttemptWatch.Moment);
        await Wait.Until(() => Time.DueIn(s_probeTimeout) == 1, "it is asked");
        pull.Cancel();

        await PassSilence(First, afterMoment: false);

        await Wait.Until(() => Outages.All.Count == 1, "it is set aside");
        await PullRef(Image());
        Pulls[^1].ShouldBe("second.local/team/app:1.0");
    }

    [Fact]
    public async Task The_next_candidate_after_one_that_failed_is_watched_too()
    {
        CanPull(Image());
        await Start();
        await Remember("team/app");
        Runtime.Images.FailPulls[Image(First.Host)] = (2, "401 Unauthorized");
        Hold(Second.Host);
        Second.Behave = _ => FakeAnswer.Hang;
        var held = PullRef(Image());

        await Wait.Until(() => Pulls[^1].StartsWith("second.local"), "the first one has failed");
        await BeginWatch();
        await PassSilence(Second);

        await Wait.For(held);
        Pulls.Skip(1).ShouldBe(
            [
                "first.local/team/app:1.0", "second.local/team/app:1.0", // as both were remembered
                "first.local/team/app:1.0", // as it is remembered without the second
                "first.local/team/app:1.0", "origin.local/team/app:1.0", // as it has been asked again
            ]);
    }

    [Fact]
    public async Task A_registry_below_that_is_set_aside_is_not_pulled_from_by_what_it_said_before()
    {
        CanPull(Image());
        await Start();
        await Remember("team/app");
        First.Behave = request => request.Path.Contains("team/tool") ? new FakeAnswer(404) : null;
        Second.Behave = _ => new FakeAnswer(503);
        await Pull($"{OriginDown}/team/tool:1.0");
        Outages.All.Count.ShouldBe(1);
        Runtime.Images.FailPulls[Image(First.Host)] = (2, "401 Unauthorized");

        await PullRef(Image());

        Pulls.ShouldNotContain("second.local/team/app:1.0");
        Pulls[^1].ShouldBe("origin.local/team/app:1.0");
    }

    /// <summary>Both registries have said that they have it, and it comes from the first. Then nothing is under way any more.</summary>
    private async Task Remember(params string[] repositories)
    {
        foreach (var repository in repositories)
            await PullRef($"{OriginDown}/{repository}:1.0");
        await Wait.Until(() => Metrics.Probes.Value(Second.Address, "found") == repositories.Length, "the other one has it as well");
        Time.Advance(TimeSpan.FromSeconds(1));
    }

    private async Task<List<Task<string>>> StartMany()
    {
        var pulls = Enumerable.Range(0, Many).Select(i => PullRef($"{OriginDown}/{s_repositories[i % s_repositories.Length]}:1.0")).ToList();
        await Wait.Until(() => Time.DueIn(AttemptWatch.Moment) == Many, "all are watched");
        return pulls;
    }

    /// <summary>The runtime gets nothing from these until it is told to go on.</summary>
    private void Hold(params string[] hosts) => Runtime.Images.BeforePull =
        (image, given) => hosts.Any(image.StartsWith) ? _go.Task.WaitAsync(given) : Task.CompletedTask;

    private Task BeginWatch() => Wait.Until(() => Time.DueIn(AttemptWatch.Moment) == 1, "the attempt is watched");

    /// <summary>A second opinion is about another image, or whether it is a registry.</summary>
    private static int CountDoubts(FakeRegistry registry) =>
        registry.Requests.Count(request => request.Path == "/v2/" || request.Path.Contains("tool"));

    /// <summary>The registry is asked, then doubted, and then the time for both is over.</summary>
    private async Task PassSilence(FakeRegistry silent, bool afterMoment = true, bool isDoubtAnswered = false)
    {
        if (afterMoment)
            Time.Advance(AttemptWatch.Moment);
        await Wait.Until(() => Time.DueIn(s_probeTimeout) == 1 && Time.DueIn(s_probeTimeout - SecondOpinion.Patience) == 1, "it is asked");
        var asked = CountDoubts(silent);
        Time.Advance(s_probeTimeout - SecondOpinion.Patience);
        await Wait.Until(() => CountDoubts(silent) == asked + 1, "it is doubted");
        if (isDoubtAnswered)
            await Wait.Until(() => Time.DueIn(SecondOpinion.Patience) == 1, "it is known to be well"); // the question's own time is left
        Time.Advance(SecondOpinion.Patience);
    }
}
