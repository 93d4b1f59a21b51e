using System.Diagnostics;

namespace ImageCriShim.Tests.Fakes;

/// <summary>For what another thread does and no task tells of.</summary>
internal static class Eventually
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30); // to fail, not to hang
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(2); // only to not spin

    public static async Task Holds(Func<bool> condition)
    {
        for (var started = Stopwatch.GetTimestamp(); !condition();)
        {
            (Stopwatch.GetElapsedTime(started) < s_patience).ShouldBeTrue("it does not happen");
            await Task.Delay(s_pause, TestContext.Current.CancellationToken);
        }
    }
}
