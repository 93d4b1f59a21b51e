using ImageCriShim.Registries;
using ImageCriShim.Rewriting;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Rewriting;

namespace ImageCriShim.Tests.Cri;

/// <summary>A pull while every registry is down and the image is on the node.</summary>
public sealed class AnsweringLocally : PullTest
{
    private const string Told = "no registry can be reached: ";

    public AnsweringLocally() => Prepare();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_image_that_this_node_paid_for_is_the_answer_at_once(bool byNode)
    {
        Expect(Told);
        await Start([At($"http://{Down}")]);
        var id = OnNode(Image(), Image(Down), byNode ? PulledWith.NodesOwn : PulledWith.Nothing);

        (await PullRef(Image())).ShouldBe(id);

        Pulls.ShouldBeEmpty();
        Log.Complaints.Single(line => line.StartsWith(Told)).ShouldContain($"{Image()} is answered with the image that is on the node, {id}, pulled as {Image(Down)}");
    }

    [Fact]
    public async Task A_pod_with_a_secret_gets_it_as_well()
    {
        Expect(Told);
        await Start([At($"http://{Down}")]);
        var id = OnNode(Image(), Image(Down), PulledWith.NodesOwn);
        (await PullRef(Image(), secret: "of a pod")).ShouldBe(id);
    }

    [Fact]
    public async Task It_is_found_by_the_name_that_it_was_pulled_by_whatever_the_settings_say_now()
    {
        Expect(Told);
        await Start([At($"http://{Down}")]);
        var id = OnNode(Image(), "elsewhere.local/team/app:1.0", PulledWith.NodesOwn);
        (await PullRef(Image())).ShouldBe(id);
    }

    [Fact]
    public async Task What_came_as_given_is_found_as_given()
    {
        Expect(Told);
        await Start([At($"http://{Down}")]);
        var id = OnNode(Image(), Image(), PulledWith.Nothing);
        (await PullRef(Image())).ShouldBe(id);
    }

    [Fact]
    public async Task A_runtime_that_answers_with_a_name_and_a_digest_gets_its_own_answer_back()
    {
        Expect(Told);
        await Start([At($"http://{Down}")]);
        OnNode(Image(), Image(Down), PulledWith.NodesOwn, Runtime.Images.Add(Image(Down)).Digests[0]);
        (await PullRef(Image())).ShouldBe(Runtime.Images.Find(Image(Down))!.Digests[0]);
    }

    [Fact]
    public async Task With_offlineOnly_nobody_asks_whether_the_origin_is_there()
    {
        Expect(Told);
        await Start([At($"http://{Down}")], settings => settings with { OfflineOnly = true });
        var image = Image(First.Host);
        var id = OnNode(image, Image(Down), PulledWith.NodesOwn);
        (await PullRef(image)).ShouldBe(id);
        First.Connections.ShouldBe(0);
    }

    [Fact]
    public async Task An_origin_that_is_configured_and_down_is_down()
    {
        Expect(Told);
        First.Behave = _ => new FakeAnswer(503); // it can be connected to, and was asked
        await Start();
        Second.Behave = _ => new FakeAnswer(500);
        var image = Image(First.Host);
        var id = OnNode(image, Image(Second.Host), PulledWith.NodesOwn);
        (await PullRef(image)).ShouldBe(id);
        Pulls.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_origin_that_can_be_connected_to_is_asked_by_the_runtime()
    {
        await Start([At($"http://{Down}")]);
        var image = Image(First.Host);
        OnNode(image, Image(Down), PulledWith.NodesOwn);
        CanPull(image);
        (await PullRef(image)).ShouldBe(Runtime.Images.Find(image)!.Id);
    }

    [Theory]
    [InlineData(404)]
    [InlineData(403)]
    [InlineData(412)]
    [InlineData(429)]
    [InlineData(451)]
    public async Task Nothing_but_unreachable_counts_as_down(int status)
    {
        First.Behave = _ => new FakeAnswer(status);
        await Start([At(First.Address), At($"http://{Down}")]);
        await ShouldNotBeServed(PulledWith.NodesOwn);
    }

    [Fact]
    public async Task What_a_pods_secret_paid_for_is_not_served_to_that_pod_either()
    {
        await Start([At($"http://{Down}")]);
        await ShouldNotBeServed(PulledWith.Callers);
    }

    [Fact]
    public async Task What_has_no_record_is_not_served()
    {
        await Start([At($"http://{Down}")]);
        Runtime.Images.Add(Image(Down));
        await ShouldFail();
    }

    [Fact]
    public async Task Nor_is_another_image_that_has_the_name_by_now()
    {
        await Start([At($"http://{Down}")]);
        OnNode(Image(), Image(Down), PulledWith.NodesOwn, "sha256:" + new string('e', 64));
        await ShouldFail();
    }

    [Fact]
    public async Task An_image_that_is_gone_is_not_served()
    {
        await Start([At($"http://{Down}")]);
        OnNode(Image(), Image(Down), PulledWith.NodesOwn);
        Runtime.Images.Clear();
        await ShouldFail();
    }

    [Fact]
    public async Task An_image_that_is_excluded_is_the_runtimes_affair()
    {
        Expect("pull of ");
        await Start([At($"http://{Down}")], settings => settings with { Exclude = [ResolveCase.Pattern($"{OriginDown}/team")] });
        OnNode(Image(), Image(), PulledWith.Nothing);
        (await Pull(Image())).Status.ShouldBe(5);
    }

    [Fact]
    public async Task An_image_that_is_blocked_stays_blocked()
    {
        await Start([At($"http://{Down}")], settings => settings with { Block = [ResolveCase.Pattern($"{OriginDown}/team")] });
        OnNode(Image(), Image(Down), PulledWith.NodesOwn);
        (await Pull(Image())).Status.ShouldBe(7);
    }

    [Fact]
    public async Task A_registry_that_goes_down_after_it_was_asked_is_noticed_before_the_origin_is_waited_for()
    {
        Expect(Told);
        Expect("pull of ");
        First.Add("team/app", "1.0");
        await Start([At(First.Address)]);
        CanPull(Image(First.Host));
        var id = await PullRef(Image());
        First.Behave = _ => new FakeAnswer(503);
        Runtime.Images.FailPulls[Image(First.Host)] = (2, "503 Service Unavailable");

        (await PullRef(Image())).ShouldBe(id);

        Pulls.ShouldBe(["first.local/team/app:1.0", "first.local/team/app:1.0"]);
    }

    private string OnNode(string given, string actual, PulledWith with, string? imageRef = null)
    {
        imageRef ??= Runtime.Images.Add(actual).Id;
        Runtime.Images.Add(actual);
        Record.Add(new RecordedPull(given, actual, "down.local", imageRef, Time.GetUtcNow(), with));
        return imageRef;
    }

    private async Task ShouldNotBeServed(PulledWith with)
    {
        OnNode(Image(), Image(Down), with);
        await ShouldFail();
    }

    private async Task ShouldFail()
    {
        Expect("pull of ");
        Expect("not pulled ");
        (await Pull(Image(), secret: "of a pod")).Status.ShouldNotBe(0);
        Log.Complaints.ShouldNotContain(line => line.StartsWith(Told));
        Pulls.Length.ShouldBe(1); // as given
    }
}
