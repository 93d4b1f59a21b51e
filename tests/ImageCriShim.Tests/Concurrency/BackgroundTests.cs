using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using ImageCriShim.Concurrency;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Concurrency;

/// <summary>.NET ends the process when such work throws: a test that failed here would take the whole run with it.</summary>
public sealed class BackgroundTests : IDisposable
{
    private readonly ConcurrentQueue<string> _reports = new();

    public BackgroundTests() => Background.ReportTo((what, exception) => _reports.Enqueue($"{what}: {exception.Message}"));

    public void Dispose() => Background.ReportTo((_, _) => { });

    [Fact]
    public async Task A_timer_that_throws_is_reported_and_ticks_again()
    {
        var ticks = 0;
        await using var timer = Background.CreateTimer("the tick", TimeProvider.System, () => throw new InvalidOperationException($"{++ticks}"), TimeSpan.Zero, TimeSpan.FromMilliseconds(1));
        await Wait.Until(() => _reports.Count >= 2, "it ticks twice");
        _reports.Take(2).ShouldBe(["the tick: 1", "the tick: 2"]);
    }

    [Fact]
    public async Task A_thread_that_throws_is_reported_and_begins_anew_until_it_returns()
    {
        var runs = 0;
        var thread = Background.StartThread("of a test", 256 * 1024, () =>
        {
            if (++runs < 3)
                throw new InvalidOperationException($"{runs}");
        });
        await Wait.Until(() => !thread.IsAlive, "it ends");
        _reports.ShouldBe(["the thread 'of a test': 1", "the thread 'of a test': 2"]);
    }

    [Fact]
    public async Task A_handler_of_a_signal_that_throws_is_reported_and_the_signal_ends_nothing()
    {
        const int sigWindowChanged = 28;
        using var handler = Background.OnSignal(PosixSignal.SIGWINCH, _ => throw new InvalidOperationException("no"));
        Processes.Signal(Environment.ProcessId, sigWindowChanged);
        await Wait.Until(() => !_reports.IsEmpty, "it is handled");
        _reports.ShouldBe(["the handler of SIGWINCH: no"]);
    }

    [Fact]
    public async Task Work_for_the_pool_that_throws_is_reported()
    {
        Background.Queue("the work", 7, number => throw new InvalidOperationException($"{number}"));
        await Wait.Until(() => !_reports.IsEmpty, "it is done");
        _reports.ShouldBe(["the work: 7"]);
    }

    [Fact]
    public async Task A_report_that_throws_ends_nothing_either()
    {
        var isReported = false;
        Background.ReportTo((_, _) =>
        {
            Volatile.Write(ref isReported, true);
            throw new InvalidOperationException();
        });
        Background.Queue("the work", 0, _ => throw new InvalidOperationException());
        await Wait.Until(() => Volatile.Read(ref isReported), "it is reported");
        Background.Run("more", () => throw new InvalidOperationException()).ShouldBeFalse();
    }
}
