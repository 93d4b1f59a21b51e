using System.Text.Json.Nodes;
using ImageCriShim.Tests.Faults;

namespace ImageCriShim.Tests.BootedNode;

/// <summary>
/// Kills of the shim and of containerd, without a handover, under the load of a kubelet on grpc-go. A caller of the shim loses no more calls than
/// a caller of containerd itself loses when containerd is killed.
/// </summary>
[Collection<BootedNodeTests>]
public sealed class KilledUnderLoad(DebianNode node, ContainerdUnderLoad containerd) : BootedTest(node), IClassFixture<ContainerdUnderLoad>
{
    [Theory]
    [InlineData(ContainerdUnderLoad.KillContainerd)]
    [InlineData("systemctl restart containerd")]
    public async Task A_containerd_that_starts_again_costs_no_more_calls_through_the_shim_than_without(string script)
    {
        var (direct, through) = await containerd.Compare(script);
        Report.Write([$"{script}, callers without the shim: {direct.Figures}", $"{script}, callers of the shim: {through.Figures}"]);
        through.FailedCalls.ShouldBeLessThanOrEqualTo(direct.FailedCalls, through.Texts);
        (await Node.Show("NRestarts")).ShouldBe("0");
    }

    [Fact]
    public async Task A_shim_that_is_killed_costs_no_more_calls_than_a_containerd_that_is()
    {
        await using var kubelet = await containerd.StartKubelet([]);
        await Node.Run("systemctl kill --signal=KILL --kill-who=main image-cri-shim");
        await ContainerdUnderLoad.Recover();
        await ShouldCostNoMoreThanContainerd("SIGKILL of the shim", kubelet);
    }

    [Fact]
    public async Task A_shim_that_the_kernel_ends_for_want_of_memory_costs_no_more_calls_than_a_containerd_that_is_killed()
    {
        await LimitMemory();
        var since = await Node.Run("date +@%s");
        await using var kubelet = await containerd.StartKubelet([]);
        await TakeMemoryUntilKilled(await Node.MainPid());
        await ContainerdUnderLoad.Recover();
        await ShouldCostNoMoreThanContainerd("the shim out of memory", kubelet);
        await Until($"journalctl -q -b -o cat -u image-cri-shim --since {since} | grep -q 'code=killed, status=9/KILL'");
    }

    [Fact]
    public async Task A_predecessor_that_the_kernel_ends_for_want_of_memory_takes_its_own_calls_along_and_no_others()
    {
        await LimitMemory();
        await using var kubelet = await containerd.StartKubelet(new JsonObject { ["execs"] = new JsonArray(60) });
        var predecessor = await Node.MainPid();
        await Node.Run("image-cri-shim reload --handover");
        var successor = await Node.MainPid();
        await TakeMemoryUntilKilled(predecessor);
        var sums = await kubelet.FinishAsync();
        Report.Write([$"a draining predecessor out of memory: {sums.Figures}"]);
        sums.Failed.ShouldBeEmpty(sums.Texts);
        sums.Long.ShouldBe(["ExecSync Unavailable"], sums.Texts);
        (await Node.MainPid()).ShouldBe(successor);
        (await Node.Show("NRestarts")).ShouldBe("0");
        await Until("! image-cri-shim status | grep -q 'still serves'");
    }

    private async Task ShouldCostNoMoreThanContainerd(string fault, GoKubelet kubelet)
    {
        var sums = await kubelet.FinishAsync();
        Report.Write([$"{fault}: {sums.Figures}"]);
        sums.FailedCalls.ShouldBeLessThanOrEqualTo((await containerd.WhenContainerdIsKilled()).FailedCalls, sums.Texts);
        (await Node.Show("NRestarts")).ShouldBe("1");
    }

    private async Task LimitMemory()
    {
        await Node.DropIn("MemoryMax=64M");
        await Node.Run("systemctl restart image-cri-shim");
    }

    /// <summary>Another program takes the memory of the shim's unit, until the kernel ends the process that it is told to end first.</summary>
    private async Task TakeMemoryUntilKilled(int process)
    {
        var kills = await Node.Run($$"""
            cgroup=$(find /sys/fs/cgroup/memory -type d -name image-cri-shim.service)
            kills() { sed -n 's/^oom_kill //p' $cgroup/memory.oom_control; }
            before=$(kills)
            echo 1000 > /proc/{{process}}/oom_score_adj
            echo $$ > $cgroup/cgroup.procs
            perl -e 'push @taken, "x" x (1 << 20) while readlink "/proc/{{process}}/exe"' || true
            echo $(($(kills) - before))
            """);
        int.Parse(kills).ShouldBePositive();
    }
}
