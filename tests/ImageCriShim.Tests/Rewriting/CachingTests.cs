using ImageCriShim.Configuration;
using ImageCriShim.Registries;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Rewriting;

public sealed class CachingTests
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);

    [Fact]
    public async Task Found_is_believed_for_half_an_hour()
    {
        await using var it = new ResolveCase(OnlyHigh);
        it.High.Add("library/nginx", "1.25");
        await it.Resolve();

        it.Time.Advance(TimeSpan.FromMinutes(30) - Moment);
        (await it.Resolve()).FromCache.ShouldBeTrue();
        it.High.Requests.Count.ShouldBe(1);

        it.Time.Advance(Moment);
        (await it.Resolve()).FromCache.ShouldBeFalse();
        it.High.Requests.Count.ShouldBe(2);
    }

    [Theory]
    [InlineData(404)]
    [InlineData(401)]
    [InlineData(429)]
    public async Task Missing_denied_and_throttled_are_believed_for_half_a_minute(int status)
    {
        await using var it = new ResolveCase(OnlyHigh);
        it.High.Behave = _ => new FakeAnswer(status);
        await it.Resolve();

        it.Time.Advance(TimeSpan.FromSeconds(30) - Moment);
        (await it.Resolve()).FromCache.ShouldBeTrue();
        it.Time.Advance(Moment);
        (await it.Resolve()).FromCache.ShouldBeFalse();
    }

    [Theory]
    [InlineData("7", 7)]
    [InlineData("86400", 15 * 60)] // nobody is left alone for a day
    public async Task A_throttling_registry_is_left_alone_for_as_long_as_it_says_within_reason(string retryAfter, int seconds)
    {
        await using var it = new ResolveCase(OnlyHigh);
        it.High.Behave = _ => new FakeAnswer(429) { Headers = { ["Retry-After"] = retryAfter } };
        await it.Resolve();

        it.Time.Advance(TimeSpan.FromSeconds(seconds) - Moment);
        (await it.Resolve()).FromCache.ShouldBeTrue();
        it.Time.Advance(Moment);
        (await it.Resolve()).FromCache.ShouldBeFalse();
    }

    [Fact]
    public async Task Unreachable_is_not_remembered_of_an_image_but_the_registry_is_set_aside()
    {
        await using var it = new ResolveCase(OnlyHigh);
        it.High.Behave = _ => new FakeAnswer(503);
        (await it.Resolve()).FromCache.ShouldBeFalse();
        it.High.Behave = _ => null;
        it.High.Add("library/nginx", "1.25");

        var meanwhile = await it.Resolve();
        it.Time.Advance(Outages.FirstInterval);
        await Wait.Until(() => it.Outages.All.Count == 0);
        var after = await it.Resolve();

        meanwhile.FromCache.ShouldBeFalse();
        meanwhile.Reason.ShouldBe($"at no registry: {it.High.Host} unreachable (HTTP 503; set aside 0 s ago)");
        after.ToPull[0].Image.ShouldBe($"{it.High.Host}/library/nginx:1.25");
    }

    [Fact]
    public async Task A_decision_that_rests_on_one_remembered_answer_is_an_old_one()
    {
        await using var it = new ResolveCase();
        it.Middle.Add("library/nginx", "1.25");
        await it.Resolve();

        it.Time.Advance(TimeSpan.FromSeconds(31)); // the miss of the highest is too old, the find is not

        (await it.Resolve()).FromCache.ShouldBeTrue();
        it.Asked[0].ShouldBe(2);
    }

    [Fact]
    public async Task A_miss_above_a_find_is_asked_again_alone()
    {
        await using var it = new ResolveCase();
        it.Middle.Add("library/nginx", "1.25");
        await it.Resolve();
        await it.Low.NextRequest(); // its answer was not needed; its question was asked
        it.Asked.ShouldBe([1, 1, 1]);

        it.Time.Advance(TimeSpan.FromSeconds(31));
        (await it.Resolve()).ToPull[0].Image.ShouldStartWith(it.Middle.Host);
        it.Asked.ShouldBe([2, 1, 1]);

        it.High.Add("library/nginx", "1.25");
        it.Time.Advance(TimeSpan.FromSeconds(31));
        (await it.Resolve()).ToPull[0].Image.ShouldStartWith(it.High.Host);
    }

    [Fact]
    public async Task An_answer_that_came_late_serves_the_next_decision()
    {
        await using var it = new ResolveCase();
        it.High.Add("library/nginx", "1.25");
        var late = new TaskCompletionSource();
        it.Low.Behave = _ => FakeAnswer.Manifest(FakeRegistry.OciManifest) with { When = late.Task };
        it.Middle.Behave = _ => FakeAnswer.Hang;
        (await it.Resolve()).Probes[2].Result.ShouldBeNull();

        late.SetResult();
        await Eventually(async () => (await it.Resolve()).Probes[2].Result is not null);

        it.ToPull(await it.Resolve()).ShouldBe("H/library/nginx:1.25 L/library/nginx:1.25 M/library/nginx:1.25 nginx:1.25");
        await it.Middle.NextRequest(); // it hangs, but it was asked
        it.Asked.ShouldBe([1, 1, 1]);
    }

    [Fact]
    public async Task All_spellings_of_one_image_share_what_is_known_and_each_is_given_its_own()
    {
        await using var it = new ResolveCase(OnlyHigh);
        await it.Resolve("nginx");

        var decision = await it.Resolve("docker.io/library/nginx:latest");

        decision.FromCache.ShouldBeTrue();
        decision.ToPull[^1].Image.ShouldBe("docker.io/library/nginx:latest");
    }

    [Fact]
    public async Task Only_so_many_images_are_remembered_those_used_last()
    {
        await using var it = new ResolveCase(s => OnlyHigh(s) with { Cache = new CacheSettings { ImageCacheSize = 2 } });
        await it.Resolve("a");
        await it.Resolve("b");
        await it.Resolve("a");
        await it.Resolve("c");

        (await it.Resolve("a")).FromCache.ShouldBeTrue();
        (await it.Resolve("b")).FromCache.ShouldBeFalse();
    }

    [Fact]
    public async Task With_a_size_of_0_nothing_is_remembered()
    {
        await using var it = new ResolveCase(s => OnlyHigh(s) with { Cache = new CacheSettings { ImageCacheSize = 0 } });

        await it.Resolve();
        await it.Resolve();

        it.High.Requests.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_decision_that_failed_to_pull_is_forgotten_once()
    {
        await using var it = new ResolveCase(OnlyHigh);
        it.High.Add("library/nginx", "1.25");
        await it.Resolve();
        var failed = await it.Resolve();
        failed.FromCache.ShouldBeTrue();

        it.Resolver.Forget(failed);
        (await it.Resolve()).FromCache.ShouldBeFalse();
        it.Resolver.Forget(failed); // another pull with the same old decision fails a moment later

        (await it.Resolve()).FromCache.ShouldBeTrue();
        it.High.Requests.Count.ShouldBe(2);
    }

    private static ShimSettings OnlyHigh(ShimSettings settings) => settings with { Registries = [settings.Registries[0]] };

    /// <summary>For what another thread does and no task tells of.</summary>
    private static async Task Eventually(Func<Task<bool>> happens)
    {
        while (!await happens())
            await Task.Delay(TimeSpan.FromMilliseconds(5), TestContext.Current.CancellationToken); // only to not spin
    }
}
