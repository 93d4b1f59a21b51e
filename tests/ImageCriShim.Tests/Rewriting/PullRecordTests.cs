using ImageCriShim.Rewriting;

namespace ImageCriShim.Tests.Rewriting;

public sealed class PullRecordTests
{
    private static readonly DateTimeOffset s_start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly PullRecord record = new([]);

    [Theory]
    [InlineData("nginx")]
    [InlineData("docker.io/library/nginx:latest")]
    [InlineData("index.docker.io/nginx:latest")]
    public void A_pull_is_found_however_its_image_is_spelled(string spelling)
    {
        var pull = Pull("nginx:latest");
        record.Add(pull);
        record.Find(spelling).ShouldBe(pull);
        record.Find("nginx:1.25").ShouldBeNull();
    }

    [Fact]
    public void What_was_recorded_before_and_is_read_late_gives_way_to_what_came_meanwhile()
    {
        var record = new PullRecord([]);
        var meanwhile = Pull("nginx");
        record.Add(meanwhile);
        record.Names.ShouldNotBeNull();
        record.AddEarlier([Pull("nginx") with { ImageRef = "sha256:earlier" }, Pull("busybox")]);
        record.All.Select(pull => pull.Given).ShouldBe(["nginx", "busybox"], ignoreOrder: true);
        record.Find("nginx").ShouldBe(meanwhile);
        record.AddEarlier(Enumerable.Range(0, PullRecord.MaxPulls + 5).Select(i => Pull($"app:{i}")));
        record.All.Count.ShouldBe(PullRecord.MaxPulls);
    }

    [Fact]
    public void What_was_given_for_a_name_is_known()
    {
        record.Add(Pull("nginx:1", actual: "hub.local/library/nginx:1"));
        record.Add(Pull("quay.io/library/nginx:1", actual: "hub.local/library/nginx:1"));
        record.Add(Pull("other:1"));
        record.Names.OfTag("hub.local/library/nginx:1").ShouldBe(["quay.io/library/nginx:1", "docker.io/library/nginx:1"]); // the latest first
    }

    [Theory]
    [InlineData("node", "caller", "node")] // a pod that brings a secret takes nothing away from the others
    [InlineData("none", "caller", "none")]
    [InlineData("caller", "node", "node")]
    [InlineData("caller", "caller", "caller")]
    [InlineData("node", "none", "none")]
    public void What_once_came_without_a_pods_secret_stays_free_of_it(string first, string second, string kept)
    {
        record.Add(Pull("nginx", with: With(first)));
        record.Add(Pull("nginx", with: With(second)));
        record.Find("nginx")!.With.ShouldBe(With(kept));
    }

    [Fact]
    public void But_not_if_it_is_another_image_by_now()
    {
        record.Add(Pull("nginx", imageRef: "sha256:1", with: PulledWith.NodesOwn));
        record.Add(Pull("nginx", imageRef: "sha256:2", with: PulledWith.Callers));
        record.Find("nginx")!.With.ShouldBe(PulledWith.Callers);
    }

    [Theory]
    [InlineData("docker.io/library/nginx:latest")] // given
    [InlineData("hub/library/nginx:latest")] // actual
    [InlineData("sha256:1")]
    public void What_is_removed_is_forgotten_by_any_of_its_names(string name)
    {
        record.Add(Pull("nginx", "hub/library/nginx:latest", "sha256:1"));
        record.Add(Pull("redis", "hub/library/redis:latest", "sha256:2"));
        record.Forget(name);
        record.All.Select(pull => pull.Given).ShouldBe(["redis"]);
    }

    [Fact]
    public void The_oldest_pulls_make_room_for_new_ones()
    {
        for (var i = 0; i < PullRecord.MaxPulls + 3; i++)
            record.Add(Pull($"app:{i}", at: s_start.AddSeconds(i)));
        record.All.Count.ShouldBe(PullRecord.MaxPulls);
        record.Find("app:2").ShouldBeNull();
        record.Find("app:3").ShouldNotBeNull();
    }

    [Fact]
    public void Names_that_nobody_would_give_are_not_kept()
    {
        record.Add(Pull($"{new string('a', 2000)}.io/nginx"));
        record.Add(Pull("nginx", imageRef: ""));
        record.All.ShouldBeEmpty();
    }

    [Fact]
    public void Each_change_is_told_and_what_changes_nothing_is_not()
    {
        var changes = 0;
        var told = new PullRecord([Pull("nginx")], () => changes++);
        told.Add(Pull("redis"));
        told.Forget("nginx");
        told.Forget("nginx");
        changes.ShouldBe(2);
    }

    [Theory]
    [InlineData("nginx:1", "hub.local/library/nginx:1", true)]
    [InlineData("nginx:1@D", "hub/library/nginx@D", true)]
    [InlineData("nginx:1@D", "hub.local/library/nginx:1", false)]
    public void An_image_that_lost_its_digest_is_known_as_such(string given, string actual, bool hasIt)
    {
        var digest = "sha256:" + new string('d', 64);
        Pull(given.Replace("D", digest), actual.Replace("D", digest)).HasDigestAsGiven.ShouldBe(hasIt);
    }

    internal static RecordedPull Pull(
        string given, string? actual = null, string imageRef = "sha256:1", PulledWith with = PulledWith.NodesOwn, DateTimeOffset? at = null) =>
        new(given, actual ?? $"hub/{given}", "hub", imageRef, at ?? s_start, with);

    private static PulledWith With(string name) => name switch
    {
        "none" => PulledWith.Nothing,
        "node" => PulledWith.NodesOwn,
        _ => PulledWith.Callers,
    };
}
