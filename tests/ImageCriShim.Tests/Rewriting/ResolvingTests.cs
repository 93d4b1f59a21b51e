using ImageCriShim.Registries;
using ImageCriShim.Rewriting;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Rewriting;

public sealed class ResolvingTests
{
    [Theory]
    [InlineData("H", "H")]
    [InlineData("M", "M")]
    [InlineData("L", "L")]
    [InlineData("HML", "H")]
    [InlineData("ML", "M")]
    [InlineData("HL", "H")]
    [InlineData("", null)]
    public async Task The_highest_registry_that_has_it_comes_first_and_the_name_as_given_last(string holders, string? first)
    {
        await using var it = new ResolveCase();
        foreach (var (letter, registry) in new[] { ('H', it.High), ('M', it.Middle), ('L', it.Low) })
        {
            if (holders.Contains(letter))
                registry.Add("library/nginx", "1.25");
        }

        var decision = await it.Resolve();

        var toPull = it.ToPull(decision).Split(' ');
        toPull[0].ShouldBe(first is null ? "nginx:1.25" : $"{first}/library/nginx:1.25");
        toPull[^1].ShouldBe("nginx:1.25");
        decision.Kind.ShouldBe(first is null ? DecisionKind.AsGiven : DecisionKind.Found);
        decision.FromCache.ShouldBeFalse();
    }

    [Fact]
    public async Task All_registries_are_asked_at_once()
    {
        await using var it = new ResolveCase();
        var answer = new TaskCompletionSource();
        foreach (var registry in new[] { it.High, it.Middle, it.Low })
            registry.Behave = _ => new FakeAnswer(404) { When = answer.Task };

        var resolving = it.Resolve();
        await Task.WhenAll(it.High.NextRequest(), it.Middle.NextRequest(), it.Low.NextRequest());

        resolving.IsCompleted.ShouldBeFalse();
        answer.SetResult();
        (await resolving).Kind.ShouldBe(DecisionKind.AsGiven);
    }

    [Fact]
    public async Task Lower_registries_are_not_waited_for_and_stay_as_fall_backs()
    {
        await using var it = new ResolveCase();
        it.High.Add("library/nginx", "1.25");
        it.Middle.Behave = _ => FakeAnswer.Hang;
        it.Low.Behave = _ => FakeAnswer.Hang;

        var decision = await it.Resolve();

        it.ToPull(decision).ShouldBe("H/library/nginx:1.25 M/library/nginx:1.25 L/library/nginx:1.25 nginx:1.25");
        decision.Probes.Select(p => p.Result?.ToString()).ShouldBe(["found", null, null]);
        decision.Reason.ShouldBe($"{it.High.Host} found");
    }

    [Fact]
    public async Task A_higher_registry_that_is_slow_is_waited_for()
    {
        await using var it = new ResolveCase();
        var slow = new TaskCompletionSource();
        it.High.Behave = _ => FakeAnswer.Manifest(FakeRegistry.OciManifest) with { When = slow.Task };
        it.Middle.Add("library/nginx", "1.25");

        var resolving = it.Resolve();
        await it.Middle.NextRequest();
        resolving.IsCompleted.ShouldBeFalse();
        slow.SetResult();

        it.ToPull(await resolving).ShouldStartWith("H/library/nginx:1.25 ");
    }

    [Fact]
    public async Task Registries_that_said_no_or_cannot_be_reached_are_left_out_of_the_pull()
    {
        using var closed = new ClosedPort();
        await using var it = new ResolveCase(s => s with
        {
            Registries = s.Registries.Insert(0, ResolveCase.Configured($"http://127.0.0.1:{closed.Number}", 1000)),
        });
        it.High.Behave = _ => new FakeAnswer(401);
        it.Middle.Behave = _ => new FakeAnswer(429);
        it.Low.Add("library/nginx", "1.25");

        var decision = await it.Resolve();

        it.ToPull(decision).ShouldBe("L/library/nginx:1.25 nginx:1.25");
        decision.Reason.ShouldEndWith($"{it.High.Host} denied (HTTP 401 for no user), {it.Middle.Host} throttled (HTTP 429), {it.Low.Host} found");
    }

    [Fact]
    public async Task A_dead_registry_costs_one_probe_timeout()
    {
        await using var it = new ResolveCase();
        it.High.Behave = _ => FakeAnswer.Hang;
        it.Middle.Add("library/nginx", "1.25");

        var resolving = it.Resolve();
        await it.High.NextRequest();
        await Wait.Until(() => it.Time.Waiting == 2); // the others have answered; left are the end of patience with this one, and the doubt before it
        it.Time.Advance(TimeSpan.FromSeconds(5));

        var decision = await resolving;
        it.ToPull(decision).ShouldStartWith("M/");
        decision.Probes[0].Result.ShouldBeOfType<ProbeResult.Unreachable>().Elapsed.ShouldBe(TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task With_offlineOnly_and_nothing_found_there_is_nothing_to_pull()
    {
        await using var it = new ResolveCase(s => s with { OfflineOnly = true });
        it.Middle.Behave = _ => new FakeAnswer(503);

        var decision = await it.Resolve();

        decision.Kind.ShouldBe(DecisionKind.Nowhere);
        decision.ToPull.ShouldBeEmpty();
        decision.IsForLackOfRegistries.ShouldBeTrue();
        decision.Reason.ShouldBe($"at no registry: {it.High.Host} missing, {it.Middle.Host} unreachable (HTTP 503), {it.Low.Host} missing");
    }

    [Fact]
    public async Task With_offlineOnly_an_image_that_no_registry_serves_is_not_pulled_either()
    {
        await using var it = new ResolveCase(s => s with
        {
            OfflineOnly = true,
            Registries = [s.Registries[0] with { Images = [ResolveCase.Pattern("docker.io")] }],
        });

        var decision = await it.Resolve("quay.io/a/b");

        decision.Kind.ShouldBe(DecisionKind.Nowhere);
        decision.IsForLackOfRegistries.ShouldBeFalse();
        it.Asked.ShouldBe([0, 0, 0]);
    }

    [Theory]
    [InlineData("quay.io/team/app:1", "excluded (quay.io/team)")]
    [InlineData("Malformed/NAME", "not a well-formed image name")]
    [InlineData("sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "an image ID, not a name")]
    public async Task What_is_not_ours_goes_as_given_and_nobody_is_asked(string image, string reason)
    {
        await using var it = new ResolveCase(s => s with { Exclude = [ResolveCase.Pattern("quay.io/team")] });

        var decision = await it.Resolve(image);

        decision.Kind.ShouldBe(DecisionKind.AsGiven);
        decision.ToPull.ShouldHaveSingleItem().Image.ShouldBe(image);
        decision.Reason.ShouldBe(reason);
        it.Asked.ShouldBe([0, 0, 0]);
    }

    [Fact]
    public async Task A_blocked_image_is_refused_and_nobody_is_asked()
    {
        await using var it = new ResolveCase(s => s with { Block = [ResolveCase.Pattern("docker.io/evil")] });

        var decision = await it.Resolve("evil/miner");

        decision.Kind.ShouldBe(DecisionKind.Blocked);
        decision.ToPull.ShouldBeEmpty();
        decision.Reason.ShouldBe("docker.io/evil/miner:latest is blocked by this node's configuration (block: docker.io/evil)");
        it.Asked.ShouldBe([0, 0, 0]);
    }

    [Fact]
    public async Task An_image_that_names_a_configured_registry_is_asked_for_there_as_it_is()
    {
        await using var it = new ResolveCase();
        it.Middle.Add("team/app", "1");

        var decision = await it.Resolve($"{it.Middle.Host}/team/app:1");

        it.Middle.Requests.ShouldHaveSingleItem().Path.ShouldBe("/v2/team/app/manifests/1");
        decision.ToPull[0].ShouldSatisfyAllConditions(
            c => c.Image.ShouldBe($"{it.Middle.Host}/team/app:1"),
            c => c.IsAsGiven.ShouldBeTrue(),
            c => c.Registry.ShouldBe(it.Settings.Registries[1]));
        decision.ToPull.Count(c => c.IsAsGiven).ShouldBe(1);
    }

    [Fact]
    public async Task A_digest_is_asked_for_by_digest()
    {
        await using var it = new ResolveCase();
        var digest = it.High.Add("library/nginx", "1.25");

        var decision = await it.Resolve($"nginx:1.25@{digest}");

        it.High.Requests.ShouldHaveSingleItem().Path.ShouldEndWith($"/manifests/{digest}");
        decision.ToPull[0].Image.ShouldBe($"{it.High.Host}/library/nginx@{digest}");
    }

    [Fact]
    public async Task Thousands_of_names_share_a_bounded_number_of_connections()
    {
        const int MostPerRegistry = 32;
        await using var it = new ResolveCase();
        var many = new ParallelOptions { MaxDegreeOfParallelism = 200, CancellationToken = TestContext.Current.CancellationToken };

        await Parallel.ForAsync(0, 2_000, many, async (i, _) => await it.Resolve($"team/app-{i}:1"));

        it.Asked.ShouldBe([2_000, 2_000, 2_000]);
        new[] { it.High, it.Middle, it.Low }.ShouldAllBe(registry => registry.Connections <= MostPerRegistry);
    }

    /// <summary>A cache that fetches an image from elsewhere before it answers, and answers for what it has.</summary>
    [Theory]
    [InlineData(false, "M nginx:1.25")]
    [InlineData(true, "M")]
    public async Task Who_is_too_late_for_one_image_and_well_is_pulled_from_before_the_name_as_given(bool offlineOnly, string pulled)
    {
        await using var it = new ResolveCase(settings => settings with { OfflineOnly = offlineOnly });
        it.Middle.Add("library/busybox", "1");
        await it.Resolve("busybox:1");
        it.Middle.Behave = request => request.Path.Contains("nginx") ? FakeAnswer.Hang : null;

        var decision = await it.ResolveLate(it.Middle, isWell: true);

        it.ToPull(decision).ShouldBe(pulled.Replace("M", "M/library/nginx:1.25"));
        it.Outages.All.ShouldBeEmpty();
    }

    [Fact]
    public async Task Who_is_too_late_for_everything_is_not_pulled_from()
    {
        await using var it = new ResolveCase();
        it.Middle.Behave = _ => FakeAnswer.Hang;

        var decision = await it.ResolveLate(it.Middle, isWell: false);

        it.ToPull(decision).ShouldBe("nginx:1.25");
        it.Outages.All.ShouldHaveSingleItem().Reason.ShouldBe("no answer within 5 s");
    }

    [Fact]
    public async Task Who_is_too_late_comes_after_those_that_have_it()
    {
        await using var it = new ResolveCase();
        it.Low.Add("library/nginx", "1.25");
        it.Middle.Behave = request => request.Path.Contains("/manifests/") ? FakeAnswer.Hang : null;

        it.ToPull(await it.ResolveLate(it.Middle, isWell: true)).ShouldBe("L/library/nginx:1.25 nginx:1.25");
    }
}
