using ImageCriShim.Registries;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Registries;

/// <summary>Hundreds of different images are wanted at the same moment.</summary>
public sealed class AskingMuchAtOnceTests
{
    private const int Images = 300;

    [Fact]
    public async Task A_registry_that_is_busy_with_us_is_not_taken_for_one_that_hangs()
    {
        await using var it = new OutageCase();
        var answer = new TaskCompletionSource();
        it.Fake.Behave = _ => FakeAnswer.Manifest(FakeRegistry.OciManifest) with { When = answer.Task };
        var asked = Ask(it, Images);
        await Wait.Until(() => it.Fake.Requests.Count == ProbeLines.MaxPerRegistry);
        await Wait.AWhile();
        it.Fake.Requests.Count.ShouldBe(ProbeLines.MaxPerRegistry);

        it.Time.Advance(ProbeCase.Patience / 2); // the others' own time has not begun
        it.Fake.Behave = _ => FakeAnswer.Manifest(FakeRegistry.OciManifest);
        answer.SetResult();

        (await Task.WhenAll(asked)).ShouldAllBe(result => result is ProbeResult.Found);
        it.Outages.All.ShouldBeEmpty();
    }

    [Fact]
    public async Task Of_a_registry_that_hangs_only_the_first_find_out_and_the_others_are_told_by_them()
    {
        await using var it = new OutageCase();
        it.Fake.Behave = _ => FakeAnswer.Hang;
        var asked = Ask(it, Images);
        await Wait.Until(() => it.Fake.Requests.Count == ProbeLines.MaxPerRegistry);

        it.Time.Advance(ProbeCase.Patience);
        await Wait.Until(() => it.Fake.Requests.Count == ProbeLines.MaxPerRegistry + 1); // whether it is well
        it.Time.Advance(ProbeCase.Patience);

        (await Task.WhenAll(asked)).ShouldAllBe(result => result is ProbeResult.Unreachable);
        it.Fake.Requests.Count.ShouldBeLessThanOrEqualTo(ProbeLines.MaxPerRegistry + 2); // one may be the background's
        it.Outages.All.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Whose_turn_does_not_come_is_told_and_the_registry_is_not_set_aside_for_it()
    {
        await using var it = new OutageCase();
        var answer = new TaskCompletionSource();
        it.Fake.Behave = _ => FakeAnswer.Manifest(FakeRegistry.OciManifest) with { When = answer.Task };
        var patient = TimeSpan.FromDays(1);
        var first = Ask(it, ProbeLines.MaxPerRegistry, patient);
        await Wait.Until(() => it.Fake.Requests.Count == ProbeLines.MaxPerRegistry);
        var late = it.Ask(image: "library/late:1");

        it.Time.Advance(ProbeLines.LongestWait);

        $"{await late}".ShouldBe("unreachable (it was not asked: 32 questions at a time are put to a registry, 512 to all, and this one's turn did not come)");
        it.Outages.All.ShouldBeEmpty();
        answer.SetResult();
        (await Task.WhenAll(first)).ShouldAllBe(result => result is ProbeResult.Found);
    }

    [Fact]
    public async Task Whether_a_port_can_be_connected_to_is_tried_once_for_all_who_want_to_know_it()
    {
        using var client = new RegistryClient(TimeProvider.System);
        await using var registry = FakeRegistry.Start();
        RegistryAddress.TryParse(registry.Address, out var address, out _).ShouldBeTrue();

        var tries = Enumerable.Range(0, 200).Select(_ => client.CanConnect(address!, RawConnection.Patience, TestContext.Current.CancellationToken));

        (await Task.WhenAll(tries)).ShouldAllBe(can => can);
        registry.Connections.ShouldBeLessThan(200);
    }

    [Fact]
    public async Task Manifests_that_are_read_at_the_same_time_are_bounded_together()
    {
        await using var it = new OutageCase();
        var rest = new TaskCompletionSource();
        var most = new byte[ManifestBody.MaxBytes - 1];
        it.Fake.Behave = request => request.Method == "HEAD"
            ? FakeAnswer.Manifest("text/plain")
            : FakeAnswer.Manifest("text/plain") with { Body = most, Length = most.Length + 1, Then = rest.Task };
        var asked = Ask(it, ProbeLines.MaxPerRegistry, TimeSpan.FromDays(1));

        var told = await Task.WhenAny(asked).WaitAsync(RawConnection.Patience, TestContext.Current.CancellationToken);

        $"{await told}".ShouldBe("unreachable (answers of registries that are read at the same time are larger than 64 MiB, the limit for all of them)");
        it.Outages.All.ShouldBeEmpty();
        rest.SetResult();
    }

    private static Task<ProbeResult>[] Ask(OutageCase it, int images, TimeSpan? patience = null) => [.. Enumerable.Range(0, images).Select(i =>
    {
        ImageCriShim.Images.Reference.TryParse($"{it.Fake.Host}/library/app{i}:1", out var name).ShouldBeTrue();
        return it.Outages.Probe(it.Registry, name, patience ?? ProbeCase.Patience, TestContext.Current.CancellationToken);
    })];
}
