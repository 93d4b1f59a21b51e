using System.Diagnostics;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Faults;

/// <summary>A node's ordinary life, with new settings every minute, for as long as there is time: what the shim holds stays what it was.</summary>
[Collection<FaultTests>]
[Trait("suite", "soak")]
public sealed class Soak(FaultNode node)
{
    private const int SigHup = 1;
    private const int Nodes = 4; // so many workloads at once, and that of the scene
    private const double MostGrowth = 2; // MB of memory, descriptors, threads: what comes and goes anyway

    private static readonly TimeSpan s_reloads = TimeSpan.FromSeconds(Math.Min(60, Long.Soak.TotalSeconds / 10));

    private static readonly TimeSpan s_warm = TimeSpan.FromSeconds(Math.Min(60, Long.Soak.TotalSeconds / 4));

    [Fact]
    public async Task Memory_descriptors_and_threads_stay_as_they_are()
    {
        await using var scene = await Scene.Set(node, "soak", new() { Timeout = TimeSpan.FromMinutes(1), Pace = Pace.Steady });
        var workloads = new List<Workload>();
        for (var i = 0; i < Nodes; i++)
        {
            workloads.Add(Workload.Start(scene.Shim.SocketPath, await node.PushImages(20), pace: Pace.Steady));
            workloads[i].KeepsOnlyFailures = true;
        }

        var file = scene.File("image-cri-shim.yaml");
        var settings = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
        await Reload(scene, file, settings, 0); // what it takes once belongs to being warm
        await Task.Delay(s_warm, TestContext.Current.CancellationToken);

        var (memory, descriptors, threads) = (new Series("memory, MB"), new Series("descriptors"), new Series("threads"));
        var (pid, begun, reloads) = (scene.Shim.Pid, Stopwatch.StartNew(), 1);
        while (begun.Elapsed < Long.Soak)
        {
            memory.Add(Processes.ResidentBytes(pid) / 1e6);
            descriptors.Add(Processes.Descriptors(pid));
            threads.Add(Processes.Threads(pid));
            if (begun.Elapsed > reloads * s_reloads)
                await Reload(scene, file, settings, reloads++);
            await Task.Delay(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
        }

        foreach (var workload in workloads)
            await workload.Stop();
        var seen = workloads.Sum(workload => workload.Calls);
        var pulls = workloads.Sum(workload => workload.PullCalls);
        Report.Write([$"soak of {begun.Elapsed.TotalMinutes:0.0} minutes: {seen} calls, {pulls} pulls and removes, {reloads} reloads", .. memory.Chart(), .. descriptors.Chart(), .. threads.Chart()]);
        workloads.SelectMany(workload => workload.Seen).Where(call => call.Failed).Take(10).ShouldBeEmpty();
        scene.Shim.Starts.ShouldBe(1);
        scene.Shim.Output.Split("settings: registries: ").Length.ShouldBeGreaterThanOrEqualTo(reloads);
        foreach (var series in (Series[])[memory, descriptors, threads])
            series.Growth.ShouldBeLessThan(Math.Max(MostGrowth, series.Noise), $"{series}");
    }

    /// <summary>Every other time there is one registry more, which serves none of the images.</summary>
    private static async Task Reload(Scene scene, string file, string settings, int count)
    {
        const string More = "- { address: \"http://127.0.0.1:1\", images: [example.com] }";
        await File.WriteAllTextAsync(file, count % 2 == 0 ? $"{settings}{More}\n" : settings);
        await scene.Shim.Signal(SigHup);
    }
}
