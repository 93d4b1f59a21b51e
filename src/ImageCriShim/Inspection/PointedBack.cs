using System.Diagnostics;
using ImageCriShim.Configuration;
using ImageCriShim.Installation;

namespace ImageCriShim.Inspection;

/// <summary>Waits after a restart of kubelet until it calls the runtime, no longer calls us, and the runtime answers.</summary>
internal sealed class PointedBack(RemovalPlan plan, Systemd systemd)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30); // k3s starts a runtime of its own first
    private static readonly TimeSpan s_calm = TimeSpan.FromSeconds(5); // kubelet connects in its first second
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    /// <returns>Null where it is so.</returns>
    public string? WhyNot()
    {
        var since = Stopwatch.GetTimestamp();
        while (Look(Stopwatch.GetElapsedTime(since)) is { } why)
        {
            if (Stopwatch.GetElapsedTime(since) > s_patience)
                return why.Length > 0 ? why : null;
            Thread.Sleep(s_pause); // between two looks: neither systemd nor kubelet tells us
        }

        return null;
    }

    /// <returns>What is not so yet; empty where it is only to be looked at for longer.</returns>
    private string? Look(TimeSpan elapsed)
    {
        if (systemd.StateOf(plan.KubeletService) is not "active" and var state)
            return $"{plan.KubeletService} is {state}; see journalctl -u {plan.KubeletService}";
        var running = RunningKubelet.Find(plan.KubeletService);
        if (running is not null && plan.Shims.FirstOrDefault(running.Calls) is { } shim)
            return $"kubelet (process {running.Id}) still calls {shim}; does something else tell it to?";
        if (plan.Runtime is { } runtime && WhySilent(runtime) is { } silence)
            return $"the runtime at {runtime} does not answer: {silence}";
        return plan.Runtime is { } called && running?.Calls(called) == true || elapsed > s_calm ? null : "";
    }

    private static string? WhySilent(string runtime)
    {
        using var asked = new RuntimeAnswers(runtime, s_calm);
        return Task.Run(() => asked.Ask(CriVersion.Auto, CancellationToken.None)).GetAwaiter().GetResult();
    }
}
