using ImageCriShim.Rewriting;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Cri;

/// <summary>What happens to an image that is pinned by digest where the digest is lost.</summary>
public sealed class PullingDigests : PullTest
{
    private const string ByTag = "(digestFallback): its tag is taken instead";

    private static readonly string s_lost = "sha256:" + new string('a', 64);

    public PullingDigests() => Prepare();

    private string Pinned => Image(tail: $":1.0@{s_lost}");

    [Fact]
    public async Task With_digestFallback_the_tag_is_taken_with_a_warning_that_names_both_digests()
    {
        Expect(ByTag);
        Expect("pull of "); // as given, by digest
        var digest = First.Add("team/app", "1.0");
        await StartWithFallback();
        CanPull(Image(First.Host));

        var id = await PullRef(Pinned, "of a pod");

        Pulls.ShouldBe([$"origin.local/team/app:1.0@{s_lost} as pod:of a pod for https://origin.local", "first.local/team/app:1.0"]);
        Log.Complaints.ShouldContain(line => line.Contains(ByTag) && line.Contains(s_lost) && line.Contains(digest));
        (await FindId(Pinned)).ShouldBe(id);
        (await FindId(Image(tail: $"@{s_lost}"))).ShouldBe(""); // that is another image: it has no tag
        await PullRef(Pinned, "of a pod");
        Log.Complaints.Count(line => line.Contains(ByTag)).ShouldBe(2); // each time
    }

    [Fact]
    public async Task As_given_the_digest_is_left_out_too()
    {
        Expect(ByTag);
        Expect("pull of ");
        await StartWithFallback();
        CanPull(Image());
        await PullRef(Pinned, "of a pod");
        Pulls[^1].ShouldBe("origin.local/team/app:1.0 as pod:of a pod for https://origin.local");
    }

    [Fact]
    public async Task Without_digestFallback_it_is_the_digest_or_nothing()
    {
        First.Add("team/app", "1.0");
        CanPull(Image(First.Host));
        await Start();
        await ShouldFail(Pinned);
    }

    [Fact]
    public async Task Without_a_tag_there_is_nothing_to_fall_back_to()
    {
        First.Add("team/app", "latest");
        CanPull(Image(First.Host, ":latest"), Image(tail: ":latest"));
        await StartWithFallback();
        await ShouldFail(Image(tail: $"@{s_lost}"));
    }

    [Theory]
    [InlineData(503)] // it may well have the digest
    [InlineData(403)]
    [InlineData(429)]
    public async Task Only_if_every_registry_says_that_it_is_missing(int status)
    {
        Second.Behave = _ => new FakeAnswer(status);
        First.Add("team/app", "1.0");
        CanPull(Image(First.Host));
        await StartWithFallback();
        await ShouldFail(Pinned);
    }

    [Fact]
    public async Task Not_if_the_runtime_cannot_pull_what_a_registry_has()
    {
        var digest = First.Add("team/app", "1.0");
        CanPull(Image(First.Host));
        await StartWithFallback();
        await ShouldFail(Image(tail: $":1.0@{digest}"));
    }

    [Fact]
    public async Task What_came_by_its_tag_is_not_found_any_more_when_that_is_forbidden()
    {
        await Start();
        var image = Runtime.Images.Add(Image(First.Host));
        Record.Add(new RecordedPull(Pinned, Image(First.Host), First.Host, image.Id, Time.GetUtcNow(), PulledWith.Nothing));
        (await FindId(Pinned)).ShouldBe("");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_came_by_its_tag_is_served_in_an_outage_only_where_that_is_allowed(bool isAllowed)
    {
        Array.ForEach(["no registry can be reached", ByTag, "pull of ", "not pulled "], Expect);
        await Start([At($"http://{Down}")], settings => settings with { DigestFallback = isAllowed });
        var image = Runtime.Images.Add(Image(Down));
        Record.Add(new RecordedPull(Pinned, Image(Down), Down, image.Id, Time.GetUtcNow(), PulledWith.Nothing));
        (await Pull(Pinned)).Status.ShouldBe(isAllowed ? 0 : 2);
        Log.Complaints.Any(line => line.Contains(ByTag)).ShouldBe(isAllowed);
    }

    private Task StartWithFallback() => Start(adjust: settings => settings with { DigestFallback = true });

    private async Task ShouldFail(string image)
    {
        Expect("pull of ");
        Expect("not pulled ");
        (await Pull(image)).Status.ShouldNotBe(0);
        Pulls.ShouldAllBe(pull => pull.Contains('@'));
    }
}
