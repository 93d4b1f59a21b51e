using ImageCriShim.Hosting;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Hosting;

public sealed class WatchdogTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    private readonly FakeTime _time = new();
    private int _pings;
    private bool _isAlive = true;

    [Fact]
    public void Pings_at_half_the_time_that_it_has()
    {
        using var watchdog = Start();
        _time.Advance(s_limit / 2 - TimeSpan.FromMilliseconds(1));
        _pings.ShouldBe(0);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        _pings.ShouldBe(1);
        _time.Advance(s_limit * 5);
        _pings.ShouldBe(11);
    }

    [Fact]
    public void Keeps_silent_for_as_long_as_it_is_not_alive()
    {
        using var watchdog = Start();
        _isAlive = false;
        _time.Advance(s_limit * 5);
        _pings.ShouldBe(0);
        _isAlive = true;
        _time.Advance(s_limit);
        _pings.ShouldBe(2);
    }

    [Fact]
    public void Ends_when_it_is_disposed_of()
    {
        Start().Dispose();
        _time.Advance(s_limit * 5);
        _pings.ShouldBe(0);
        _time.Waiting.ShouldBe(0);
    }

    private Watchdog Start() => new(s_limit, patience => _isAlive && patience < s_limit / 2, () => _pings++, _time);
}
