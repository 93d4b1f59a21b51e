using ImageCriShim.Configuration;
using ImageCriShim.Registries;
using ImageCriShim.Rewriting;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Rewriting;

/// <summary>What a registry said that it has, while it is set aside and when it is back.</summary>
public sealed class FoundAndSetAsideTests
{
    private const string AtHigh = "H/library/nginx:1.25";
    private const string AtLow = "L/library/nginx:1.25";

    [Fact]
    public async Task It_is_not_the_answer_while_the_registry_is_set_aside()
    {
        await using var it = await HighSetAside(low: true);

        var decision = await it.Resolve();

        it.ToPull(decision).ShouldBe($"{AtLow} nginx:1.25");
        decision.Probes[0].Result.ShouldBeOfType<ProbeResult.Unreachable>().IsSetAside.ShouldBeTrue();
    }

    [Fact]
    public async Task Those_that_are_asked_in_its_place_are_asked_once()
    {
        await using var it = await HighSetAside(low: true);
        await it.Resolve();
        var asked = it.Asked;

        for (var i = 0; i < 10; i++)
            (await it.Resolve()).FromCache.ShouldBeTrue();

        it.Asked.ShouldBe(asked);
    }

    [Fact]
    public async Task Where_no_other_has_it_everything_is_known_to_be_down()
    {
        await using var it = await HighSetAside(low: false, settings => settings with { Registries = [settings.Registries[0]] });

        var decision = await it.Resolve();

        (decision.Kind, decision.IsForLackOfRegistries).ShouldBe((DecisionKind.AsGiven, true));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task It_counts_again_when_the_registry_is_back(bool isWantedMeanwhile)
    {
        await using var it = await HighSetAside(low: true);
        if (isWantedMeanwhile)
            await it.Resolve();
        await Return(it);
        var asked = it.Asked;

        var decision = await it.Resolve();

        it.ToPull(decision).ShouldStartWith(AtHigh);
        decision.FromCache.ShouldBeTrue();
        it.Asked.ShouldBe(asked);
    }

    [Fact]
    public async Task But_no_longer_than_it_would_have_counted_without_the_outage()
    {
        await using var it = await HighSetAside(low: true);
        await it.Resolve();
        await Return(it);
        it.Time.Advance(TimeSpan.FromMinutes(30));
        var asked = it.High.CountOf("library/nginx");

        (await it.Resolve()).FromCache.ShouldBeFalse();

        it.High.CountOf("library/nginx").ShouldBe(asked + 1);
    }

    [Fact]
    public async Task A_decision_that_failed_to_pull_meanwhile_is_forgotten_as_any_other()
    {
        await using var it = await HighSetAside(low: true);
        await it.Resolve();
        var failed = await it.Resolve();

        it.Resolver.Forget(failed);

        (await it.Resolve()).FromCache.ShouldBeFalse();
    }

    [Fact]
    public async Task A_registry_below_the_one_that_has_the_image_is_left_out_while_it_is_set_aside()
    {
        await using var it = new ResolveCase();
        it.High.Add("library/nginx", "1.25");
        it.Low.Add("library/nginx", "1.25");
        await it.Resolve();
        await Wait.Until(async () => (await it.Resolve()).Probes[2].Result is ProbeResult.Found);
        it.Low.Behave = _ => new FakeAnswer(503);
        await it.Resolve("other");
        it.Outages.All.Count.ShouldBe(1);

        var decision = await it.Resolve();

        it.ToPull(decision).ShouldBe($"{AtHigh} nginx:1.25");
        decision.FromCache.ShouldBeTrue();
    }

    /// <summary>High has given the image, and is set aside since.</summary>
    private static async Task<ResolveCase> HighSetAside(bool low, Func<ShimSettings, ShimSettings>? adjust = null)
    {
        var it = new ResolveCase(adjust);
        it.High.Add("library/nginx", "1.25");
        if (low)
            it.Low.Add("library/nginx", "1.25");
        it.ToPull(await it.Resolve()).ShouldStartWith(AtHigh);
        if (low)
            await Wait.Until(async () => (await it.Resolve()).Probes[2].Result is ProbeResult.Found);
        it.High.Behave = _ => new FakeAnswer(503);
        await it.Resolve("other");
        it.Outages.All.Count.ShouldBe(1);
        it.Time.Advance(TimeSpan.FromMilliseconds(1)); // what is asked now is asked later
        return it;
    }

    private static async Task Return(ResolveCase it)
    {
        it.High.Behave = _ => null;
        it.Time.Advance(Outages.FirstInterval);
        await Wait.Until(() => it.Outages.All.Count == 0);
    }
}
