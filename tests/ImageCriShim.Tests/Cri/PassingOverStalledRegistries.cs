using ImageCriShim.Cri;
using ImageCriShim.Tests.Fakes;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Cri;

/// <summary>
/// A registry that has images and does not send their data costs a pull the runtime's patience, not every one; and nothing but want of
/// data, of two images and in two namespaces, makes it the last for everybody.
/// </summary>
public sealed class PassingOverStalledRegistries : PullTest
{
    private const string App = "team/app";
    private const string Tool = "team/tool";
    private const string AtFirst = "first.local/team/app:1.0";
    private const string AtSecond = "second.local/team/app:1.0";
    private const string AsGiven = "origin.local/team/app:1.0";
    private const string Canceled = "failed to copy: httpReadSeeker: failed open: context canceled";

    public PassingOverStalledRegistries()
    {
        Prepare();
        Expect("pull of ");
        Expect("sent no data");
        Expect("not pulled");
        Expect("did not send all of it");
        foreach (var repository in new[] { App, Tool, "team/other" })
        {
            First.Add(repository, "1.0");
            Second.Add(repository, "1.0");
            CanPull(At(First.Host, repository), At(Second.Host, repository), At(OriginDown, repository));
        }
    }

    [Fact]
    public async Task After_a_pull_that_did_not_come_from_it_the_next_registry_comes_first_for_that_image()
    {
        await Start();
        await Stall(App);

        (await PulledNow(App)).ShouldBe([AtSecond]);
    }

    [Fact]
    public async Task One_image_says_nothing_about_others()
    {
        await Start();
        await Stall(App);

        (await PulledNow(Tool)).ShouldBe(["first.local/team/tool:1.0"]);
    }

    [Theory]
    [InlineData("a", "b", "c", true)]
    [InlineData("", "", "c", true)] // callers that name no pod
    [InlineData("a", "a", "c", false)]
    [InlineData("a", "a", "a", false)] // another image of the same tenant
    public async Task Two_images_in_two_namespaces_make_it_the_last_for_every_image(string first, string second, string third, bool isLast)
    {
        await Start();
        await Stall(App, first);
        await Stall(Tool, second);

        (await PulledNow("team/other", third)).ShouldBe([$"{(isLast ? "second" : "first")}.local/team/other:1.0"]);
    }

    [Fact]
    public async Task Two_tags_are_one_image()
    {
        foreach (var registry in new[] { First, Second })
            registry.Add(App, "2.0");
        CanPull($"{First.Host}/{App}:2.0", $"{Second.Host}/{App}:2.0");
        await Start();
        await Stall(App, "a");
        await Stall(App, "b", ":2.0");

        (await PulledNow(Tool, "c")).ShouldBe(["first.local/team/tool:1.0"]);
    }

    [Fact]
    public async Task It_is_tried_in_its_turn_again_when_its_rest_is_over()
    {
        await Start();
        await Stall(App);
        Time.Advance(StalledRegistries.Rest);

        (await PulledNow(App)).ShouldBe([AtFirst]);
    }

    [Fact]
    public async Task It_is_tried_after_other_registries_and_once_it_has_given_an_image_in_its_turn_again()
    {
        await Start();
        await Stall(App);
        Runtime.Images.FailPulls[At(Second.Host, App)] = (5, "not found");

        (await PulledNow(App)).ShouldBe([AtSecond, AtFirst]);
        Runtime.Images.FailPulls.Clear();
        (await PulledNow(App)).ShouldBe([AtFirst]);
    }

    [Fact]
    public async Task The_name_as_given_never_comes_before_it()
    {
        Second.Behave = _ => new FakeAnswer(404);
        await Start();
        await Stall(App);
        await Stall(Tool);
        Runtime.Images.FailPulls[At(Second.Host, App)] = (5, "not found"); // it is tried if nobody has waited for what it says

        Runtime.Images.FailPulls[At(First.Host, App)] = (1, Canceled);
        (await PulledNow(App)).Where(pull => pull != AtSecond).ShouldBe([AtFirst, AsGiven]);
        Runtime.Images.FailPulls.TryRemove(At(First.Host, App), out _);
        (await PulledNow(App)).Where(pull => pull != AtSecond).ShouldBe([AtFirst]);
    }

    [Fact]
    public async Task One_that_refuses_soon_is_none()
    {
        await Start();
        await Stall(App, after: StalledRegistries.Patience - TimeSpan.FromMilliseconds(1));

        (await PulledNow(App)).ShouldBe([AtFirst]);
    }

    [Theory]
    [InlineData(2, "failed to copy: read tcp 10.0.0.1:1->10.0.0.2:5000: i/o timeout", true)]
    [InlineData(2, "failed to copy: read tcp 10.0.0.1:1->10.0.0.2:5000: read: connection reset by peer", true)]
    [InlineData(2, "failed to copy: httpReadSeeker: failed open: unexpected EOF", true)]
    [InlineData(2, "Cancel pulling image \"a\" because of exceed image pull progress deadline 1m0s", true)]
    [InlineData(8, "write /var/lib/containerd/ingest/data: no space left on device", false)]
    [InlineData(2, "failed to extract layer sha256:12: write /bin/sh: no space left on device: unknown", false)]
    [InlineData(2, "failed to extract layer sha256:12: context canceled", false)]
    [InlineData(2, "failed to unpack image on snapshotter overlayfs: context canceled", false)]
    [InlineData(9, "failed commit on ref \"layer-sha256:12\": unexpected commit digest sha256:34, expected sha256:12", false)]
    [InlineData(4, "context deadline exceeded", false)]
    [InlineData(2, "failed to do request: Head \"https://hub\": context deadline exceeded", false)]
    [InlineData(5, "not found", false)]
    [InlineData(7, "pull access denied, context canceled by policy, failed to unpack", false)]
    [InlineData(2, "Error response from daemon: Get \"http://hub/v2/\": net/http: request canceled (Client.Timeout exceeded while awaiting headers)", true)]
    [InlineData(2, "Error response from daemon: Get \"http://hub/v2/\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)", true)]
    [InlineData(2, "Error response from daemon: Head \"http://hub/v2/team/app/manifests/1.0\": read tcp 10.0.0.1:1->10.0.0.2:5000: read: connection reset by peer", true)]
    [InlineData(2, "Error response from daemon: Head \"http://hub/v2/team/app/manifests/1.0\": EOF", true)]
    [InlineData(2, "error pulling image configuration: download failed after attempts=6: dial tcp 10.0.0.2:5000: connect: connection timed out", true)]
    [InlineData(2, "failed to register layer: Error processing tar file(exit status 1): unexpected EOF", false)]
    [InlineData(2, "filesystem layer verification failed for digest sha256:12: unexpected EOF", false)]
    [InlineData(2, "Error response from daemon: Get \"https://hub/v2/\": http: server gave HTTP response to HTTPS client", false)]
    [InlineData(1, "copying system image from manifest list: copying config: context canceled", true)]
    [InlineData(2, "copying system image from manifest list: writing blob: storing blob to file \"/var/tmp/1\": happened during read: unexpected EOF", true)]
    [InlineData(2, "writing blob: adding layer with blob \"sha256:12\": processing tar file(unexpected EOF): exit status 1", false)]
    [InlineData(2, "writing blob: happened during read: Digest did not match, expected sha256:12, got sha256:34: unexpected EOF", false)]
    [InlineData(2, "Error committing the finished image: error adding layer with blob \"sha256:12\": context canceled", false)]
    public async Task Only_want_of_data_counts(int status, string text, bool isStall)
    {
        await Start();
        await Stall(App, status: status, text: text);

        (await PulledNow(App)).ShouldBe([isStall ? AtSecond : AtFirst]);
    }

    [Fact]
    public async Task A_pull_that_its_callers_deadline_ended_says_nothing_about_it()
    {
        await Start();
        await EndLate("", [App], ("grpc-timeout", "15M"));

        (await PulledNow(App)).ShouldBe([AtFirst]);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("a", "a")]
    [InlineData("a", "b")]
    public async Task A_pull_that_the_timeout_of_the_settings_ended_says_something_of_that_image_in_that_namespace_alone(string late, string next)
    {
        await Start();
        await EndLate(late, [App, Tool]);

        (await PulledNow(App, next)).ShouldBe([late == next ? AtSecond : AtFirst]);
        (await PulledNow("team/other", next)).ShouldBe(["first.local/team/other:1.0"]); // two are not the whole registry
    }

    [Fact]
    public async Task A_timeout_that_is_shorter_than_that_counts_too_or_each_pull_would_wait_for_it()
    {
        await Start(adjust: settings => settings with { Timeout = TimeSpan.FromSeconds(4) });
        await EndLate("", [App], TimeSpan.FromSeconds(4));

        (await PulledNow(App)).ShouldBe([AtSecond]);
    }

    [Fact]
    public async Task But_not_against_one_that_had_less_than_half_of_it()
    {
        await Start(adjust: settings => settings with { Timeout = TimeSpan.FromSeconds(4) });
        Runtime.Images.FailPulls[At(First.Host, App)] = (5, "not found");
        (await PulledNow(App)).ShouldBe([AtFirst, AtSecond]);
        var (asked, go) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource());
        var isHeld = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Runtime.Images.BeforePull = async (name, cancelled) =>
        {
            if (name == At(First.Host, App) && asked.TrySetResult())
                await go.Task;
            else if (name == At(Second.Host, App) && isHeld.TrySetResult())
                await Task.Delay(Timeout.Infinite, cancelled);
        };
        var pull = PullIn("", App);
        await Wait.For(asked.Task);
        await Pass(TimeSpan.FromSeconds(3));
        go.SetResult(); // it is not there any more
        await Wait.For(isHeld.Task);
        (await EndByDeadline(pull, TimeSpan.FromSeconds(1))).Status.ShouldBe(4);

        (await PulledNow(App)).ShouldBe([AtFirst, AtSecond]);
    }

    [Theory]
    [InlineData(4, "context deadline exceeded", 0.5, true)] // the clock of the runtime is a bit faster
    [InlineData(4, "context deadline exceeded", 60, false)] // a deadline that somebody else gave
    [InlineData(1, Canceled, 0.5, true)] // as containerd 2.1 says it
    public async Task So_does_one_that_the_runtime_ended_at_that_timeout(int status, string text, double secondsLeft, bool isLate)
    {
        await Start();
        await Stall(App, after: TimeSpan.FromMinutes(15) - TimeSpan.FromSeconds(secondsLeft), status: status, text: text);

        (await PulledNow(App)).ShouldBe([isLate ? AtSecond : AtFirst]);
    }

    [Theory]
    [InlineData(4, "context deadline exceeded")]
    [InlineData(1, Canceled)]
    public async Task One_that_the_runtime_ended_at_its_callers_deadline_says_nothing_about_it(int status, string text)
    {
        await Start();
        await Stall(App, after: TimeSpan.FromSeconds(19.5), status: status, text: text, metadata: ("grpc-timeout", "20S"));

        (await PulledNow(App)).ShouldBe([AtFirst]);
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

        (await PulledNow(App)).ShouldBe([AtFirst]);
    }

    private static string At(string host, string repository, string tail = ":1.0") => $"{host}/{repository}{tail}";

    /// <summary>A pull from the first registry that the runtime gives up after this time, and gets from the next.</summary>
    private async Task Stall(
        string repository, string podNamespace = "", string tail = ":1.0", TimeSpan? after = null, int status = 1, string text = Canceled,
        params Header[] metadata)
    {
        var (asked, go) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        var stalling = At(First.Host, repository, tail);
        Runtime.Images.BeforePull = (name, _) => name == stalling && asked.TrySetResult() ? go.Task : Task.CompletedTask;
        Runtime.Images.FailPulls[stalling] = (status, text);
        var pull = PullIn(podNamespace, repository, tail, metadata);
        await Wait.For(asked.Task);
        Time.Advance(after ?? StalledRegistries.Patience);
        go.SetResult();
        await pull;
        Runtime.Images.FailPulls.TryRemove(stalling, out _);
    }

    /// <summary>Pulls from the first registry, at the same time, that nothing comes of until a deadline is over: 15 minutes.</summary>
    private Task EndLate(string podNamespace, string[] repositories, params Header[] metadata) =>
        EndLate(podNamespace, repositories, TimeSpan.FromMinutes(16), metadata);

    private async Task EndLate(string podNamespace, string[] repositories, TimeSpan after, params Header[] metadata)
    {
        using var asked = new CountdownEvent(repositories.Length);
        Runtime.Images.BeforePull = (_, cancelled) =>
        {
            asked.Signal();
            return Task.Delay(Timeout.Infinite, cancelled).ContinueWith(_ => { }, TaskScheduler.Default);
        };
        var pulls = repositories.Select(repository => PullIn(podNamespace, repository, ":1.0", metadata)).ToArray();
        await Wait.Until(() => asked.IsSet);
        (await EndByDeadline(Task.WhenAll(pulls), after)).ShouldAllBe(answer => answer.Status == 4);
        Runtime.Images.BeforePull = (_, _) => Task.CompletedTask;
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

    /// <summary>A pull for a pod of that namespace; of none where it is empty.</summary>
    private Task<RawAnswer> PullIn(string podNamespace, string repository, string tail = ":1.0", params Header[] metadata)
    {
        var pod = podNamespace.Length == 0 ? [] : Field(3, Field(1, Message(Field(1, "pod"), Field(3, podNamespace))));
        return Caller.CallAsync(ImageService + "PullImage", Message(Field(1, Field(1, At(OriginDown, repository, tail))), pod), metadata);
    }

    private async Task<string[]> PulledNow(string repository, string podNamespace = "")
    {
        var before = Pulls.Length;
        var answer = await PullIn(podNamespace, repository);
        answer.Status.ShouldBe(0, answer.Message);
        return [.. Pulls.Skip(before).Select(pull => pull.Split(' ')[0])];
    }
}
