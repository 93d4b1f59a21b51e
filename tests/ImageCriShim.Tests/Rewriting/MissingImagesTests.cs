using ImageCriShim.Registries;
using ImageCriShim.Rewriting;

namespace ImageCriShim.Tests.Rewriting;

public sealed class MissingImagesTests
{
    private static readonly DateTimeOffset s_start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly MissingImages missing = new([]);

    [Fact]
    public void An_image_that_no_registry_has_is_kept_with_where_it_was_looked_for()
    {
        missing.Note(Nowhere("nginx", new ProbeResult.Missing(), new ProbeResult.Denied("HTTP 403")), s_start);
        var image = missing.All.ShouldHaveSingleItem();
        (image.Image, image.First, image.Last).ShouldBe(("docker.io/library/nginx:latest", s_start, s_start));
        image.Asked.ShouldBe(["hub0/nginx", "hub1/nginx"]);
    }

    [Fact]
    public void It_is_kept_once_however_it_is_spelled_with_the_first_time_and_the_last()
    {
        missing.Note(Nowhere("nginx", new ProbeResult.Missing()), s_start);
        missing.Note(Nowhere("docker.io/library/nginx:latest", new ProbeResult.Missing(), new ProbeResult.Missing()), s_start.AddHours(1));
        var image = missing.All.ShouldHaveSingleItem();
        (image.First, image.Last, image.Asked.Count).ShouldBe((s_start, s_start.AddHours(1), 2));
    }

    [Fact]
    public void The_newest_come_first()
    {
        for (var i = 0; i < 3; i++)
            missing.Note(Nowhere($"app:{i}", new ProbeResult.Missing()), s_start.AddHours(i));
        missing.Note(Nowhere("app:0", new ProbeResult.Missing()), s_start.AddHours(3));
        missing.All.Select(image => image.Image[^1]).ShouldBe(['0', '2', '1']);
    }

    [Fact]
    public void What_is_found_after_all_is_forgotten()
    {
        missing.Note(Nowhere("nginx", new ProbeResult.Missing()), s_start);
        missing.Note(Decided("docker.io/nginx", DecisionKind.Found, new ProbeResult.Missing(), new ProbeResult.Found(null, "")), s_start);
        missing.All.ShouldBeEmpty();
    }

    [Fact]
    public void Where_one_could_not_be_asked_nothing_is_known_and_nothing_changes()
    {
        foreach (var result in (ProbeResult?[])[new ProbeResult.Unreachable("no route"), new ProbeResult.Throttled(null), null])
        {
            missing.Note(Nowhere("app:1", new ProbeResult.Missing(), result), s_start);
            missing.All.ShouldBeEmpty();
        }

        missing.Note(Nowhere("app:1", new ProbeResult.Missing()), s_start);
        missing.Note(Nowhere("app:1", new ProbeResult.Unreachable("no route")), s_start.AddHours(1));
        missing.All.ShouldHaveSingleItem().Last.ShouldBe(s_start);
    }

    [Fact]
    public void Neither_is_one_that_nobody_was_asked_for()
    {
        missing.Note(Nowhere("app:1"), s_start);
        missing.Note(Decided("app:1", DecisionKind.Blocked), s_start);
        missing.Note(Nowhere("Not//A-Name", new ProbeResult.Missing()), s_start);
        missing.Note(Nowhere("sha256:" + new string('a', 64), new ProbeResult.Missing()), s_start);
        missing.All.ShouldBeEmpty();
    }

    [Fact]
    public void The_oldest_make_room_for_new_ones()
    {
        for (var i = 0; i < MissingImages.MaxImages + 3; i++)
            missing.Note(Nowhere($"app:{i}", new ProbeResult.Missing()), s_start.AddSeconds(i));
        missing.All.Count.ShouldBe(MissingImages.MaxImages);
        missing.All[^1].Image.ShouldBe("docker.io/library/app:3");
    }

    [Fact]
    public void More_than_that_in_a_file_are_not_taken_up_either()
    {
        var known = Enumerable.Range(0, MissingImages.MaxImages + 3).Select(i => new MissingImage($"app:{i}", s_start, s_start.AddSeconds(i), []));
        var loaded = new MissingImages(known);
        loaded.All.Count.ShouldBe(MissingImages.MaxImages);
        loaded.All[^1].Image.ShouldBe("app:3");
    }

    [Fact]
    public void Each_change_is_told_and_what_changes_nothing_is_not()
    {
        var changes = 0;
        var told = new MissingImages([], () => changes++);
        told.Note(Nowhere("app:1", new ProbeResult.Missing()), s_start);
        told.Note(Nowhere("app:1", new ProbeResult.Unreachable("no route")), s_start);
        told.Note(Decided("other:1", DecisionKind.Found, new ProbeResult.Found(null, "")), s_start);
        told.Note(Decided("app:1", DecisionKind.Found, new ProbeResult.Found(null, "")), s_start);
        changes.ShouldBe(2);
    }

    [Fact]
    public void Many_threads_get_along()
    {
        Parallel.For(0, 8, thread =>
        {
            for (var i = 0; i < 500; i++)
            {
                missing.Note(Nowhere($"app:{i}", new ProbeResult.Missing()), s_start.AddSeconds(i));
                if (i % 2 == 0)
                    missing.Note(Decided($"app:{i}", DecisionKind.Found, new ProbeResult.Found(null, "")), s_start);
                _ = missing.All.Count;
            }
        });
        missing.All.Count(image => int.Parse(image.Image[(image.Image.LastIndexOf(':') + 1)..]) % 2 == 1).ShouldBe(250);
    }

    internal static Decision Nowhere(string image, params ProbeResult?[] results) => Decided(image, DecisionKind.AsGiven, results);

    private static Decision Decided(string image, DecisionKind kind, params ProbeResult?[] results) => new(
        image, kind, [], [.. results.Select((result, i) => new ProbeReport(new Candidate(null, $"hub{i}/{image}", null, IsAsGiven: false, ""), result))], "", false);
}
