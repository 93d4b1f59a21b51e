using ImageCriShim.Configuration;
using ImageCriShim.Registries;
using ImageCriShim.Rewriting;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Rewriting;

/// <summary>Setting aside orders, it does not forbid.</summary>
public sealed class LastChanceTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Half = Second / 2;

    [Fact]
    public async Task The_first_pull_after_a_registrys_return_finds_it()
    {
        await using var it = new ResolveCase();
        await SetMiddleAside(it);
        it.Time.Advance(Half);
        it.Middle.Behave = _ => null;
        it.Middle.Add("library/nginx", "1.25");

        var decision = await it.Resolve();

        decision.ToPull[0].Image.ShouldBe($"{it.Middle.Host}/library/nginx:1.25");
        decision.Reason.ShouldBe($"{it.High.Host} missing, {it.Middle.Host} found");
        it.Outages.All.ShouldBeEmpty();
    }

    [Fact]
    public async Task One_that_was_asked_within_the_last_second_is_not_tried()
    {
        await using var it = new ResolveCase(OnlyMiddle);
        it.Middle.Behave = _ => new FakeAnswer(503);
        await it.Resolve("other");
        it.Middle.Behave = _ => null;
        it.Middle.Add("library/nginx", "1.25");
        it.Time.Advance(Half);

        (await it.Resolve()).Kind.ShouldBe(DecisionKind.AsGiven);

        it.Middle.Requests.Count(request => request.Path.Contains("/manifests/")).ShouldBe(1);
    }

    [Fact]
    public async Task Nobody_is_tried_where_another_registry_has_the_image()
    {
        await using var it = new ResolveCase();
        await SetMiddleAside(it);
        it.Time.Advance(Half);
        it.Middle.Behave = _ => null;
        it.Low.Add("library/nginx", "1.25");
        var asked = it.Middle.Requests.Count;

        var decision = await it.Resolve();

        it.ToPull(decision).ShouldBe("L/library/nginx:1.25 nginx:1.25");
        decision.Probes[1].Result.ShouldBeOfType<ProbeResult.Unreachable>().ToString().ShouldBe("unreachable (HTTP 502; set aside 2 s ago)");
        it.Middle.Requests.Count.ShouldBe(asked);
    }

    [Fact]
    public async Task One_that_accepts_connections_and_hangs_costs_a_second()
    {
        await using var it = new ResolveCase(OnlyMiddle);
        await SetMiddleAside(it);
        it.Time.Advance(Half);
        it.Middle.Behave = _ => FakeAnswer.Hang;
        var asked = it.Middle.Requests.Count;

        var resolving = it.Resolve();
        await Wait.Until(() => it.Middle.Requests.Count > asked);
        it.Time.Advance(Second);

        var decision = await resolving.WaitAsync(RawConnection.Patience, TestContext.Current.CancellationToken); // to fail, not to hang
        decision.Probes[0].Result.ShouldBeOfType<ProbeResult.Unreachable>().ToString().ShouldBe("unreachable (no answer within 1 s)");
        it.Outages.All.Count.ShouldBe(1);
    }

    [Fact]
    public async Task One_that_cannot_be_connected_to_stays_aside()
    {
        using var closed = new ClosedPort();
        await using var it = new ResolveCase(s => s with { Registries = [ResolveCase.Configured($"http://127.0.0.1:{closed.Number}", 500)] });
        await it.Resolve("other");
        it.Time.Advance(Second + Half);

        var decision = await it.Resolve();

        decision.Probes[0].Result.ShouldBeOfType<ProbeResult.Unreachable>().ToString().ShouldBe("unreachable (connection refused; set aside 2 s ago)");
        decision.IsForLackOfRegistries.ShouldBeTrue();
        it.Outages.All.Count.ShouldBe(1);
    }

    private static async Task SetMiddleAside(ResolveCase it)
    {
        it.Middle.Behave = _ => new FakeAnswer(503);
        await it.Resolve("other");
        it.Middle.Behave = _ => new FakeAnswer(502);
        it.Time.Advance(Second);
        await Wait.Until(() => it.Outages.All is [{ Reason: "HTTP 502" }]); // the next background probe is two seconds away
    }

    private static ShimSettings OnlyMiddle(ShimSettings settings) => settings with { Registries = [settings.Registries[1]] };
}
