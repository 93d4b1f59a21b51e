using ImageCriShim.Registries;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Registries;

public sealed class PlacesTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private readonly FakeTime time = new();

    [Fact]
    public async Task Who_comes_when_it_is_full_gets_the_place_of_the_first_who_leaves()
    {
        var places = new Places(2, 10, time);
        var (first, second) = (places.TryEnter(), places.TryEnter());
        places.TryEnter().ShouldBeNull();
        var third = Enter(places);
        third.IsCompleted.ShouldBeFalse();
        second!.Dispose();
        second.Dispose(); // a place is given back once
        (await third.WaitAsync(RawConnection.Patience, TestContext.Current.CancellationToken)).ShouldNotBeNull();
        places.TryEnter().ShouldBeNull();
        first!.Dispose();
        places.TryEnter().ShouldNotBeNull();
    }

    [Fact]
    public async Task Nobody_waits_longer_than_his_patience()
    {
        var places = new Places(1, 10, time);
        using var taken = places.TryEnter();
        var waiting = Enter(places);
        time.Advance(s_patience);
        (await waiting.WaitAsync(RawConnection.Patience, TestContext.Current.CancellationToken)).ShouldBeNull();
    }

    [Fact]
    public async Task Behind_a_full_line_nobody_waits_at_all()
    {
        var places = new Places(1, 2, time);
        var taken = places.TryEnter();
        Task<IDisposable?>[] waiting = [Enter(places), Enter(places)];
        (await Enter(places)).ShouldBeNull();
        taken!.Dispose();
        (await (await Task.WhenAny(waiting)))!.Dispose();
        (await Task.WhenAll(waiting)).ShouldAllBe(place => place != null);
    }

    [Fact]
    public async Task Who_goes_away_leaves_no_gap_in_the_line()
    {
        var places = new Places(1, 1, time);
        var taken = places.TryEnter();
        using var leaving = new CancellationTokenSource();
        var gone = EnterUntil(places, leaving.Token);
        leaving.Cancel();
        await Should.ThrowAsync<OperationCanceledException>(() => gone);
        var next = Enter(places);
        taken!.Dispose();
        (await next.WaitAsync(RawConnection.Patience, TestContext.Current.CancellationToken)).ShouldNotBeNull();
    }

    private static Task<IDisposable?> Enter(Places places) => EnterUntil(places, TestContext.Current.CancellationToken);

    private static Task<IDisposable?> EnterUntil(Places places, CancellationToken leaving) => places.Enter(s_patience, leaving).AsTask();
}
