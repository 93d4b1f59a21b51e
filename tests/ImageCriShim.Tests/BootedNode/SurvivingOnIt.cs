using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.BootedNode;

/// <summary>A shim that hangs, is killed, or has no memory: systemd brings it back, and callers wait meanwhile.</summary>
public sealed class SurvivingOnIt(DebianNode node) : BootedTest(node)
{
    [Fact]
    public async Task One_that_hangs_is_killed_by_the_watchdog_and_started_again()
    {
        (await Node.Show("WatchdogUSec")).ShouldBe("30s");
        await Node.DropIn("WatchdogSec=2");
        await Node.Run("systemctl restart image-cri-shim");
        var before = await Node.MainPid();

        await Node.Run($"kill -STOP {before}");
        var call = Call(); // of a caller who comes meanwhile

        await UntilAnotherServes(before);
        await Wait.For(call.ContinueWith(_ => { }, TaskScheduler.Default)); // its connection was accepted by the one that hung, or by the next
        await Call();
        (await Node.Run("journalctl -q -b -o cat -u image-cri-shim")).ShouldContain("Watchdog timeout (limit 2s)!");
    }

    [Fact]
    public async Task One_that_is_killed_is_back_and_who_calls_meanwhile_waits()
    {
        await Node.Run("systemctl stop kubelet");
        var before = await Node.MainPid();
        await Node.Run("systemctl kill --signal=KILL image-cri-shim");
        await Call();
        (await Node.MainPid()).ShouldNotBe(before);
        (await Node.Show("NRestarts")).ShouldBe("1");
    }

    [Fact]
    public async Task Out_of_memory_again_and_again_it_comes_back_as_soon_as_there_is_some()
    {
        await Node.Run("systemctl stop kubelet");
        await Node.DropIn("MemoryMax=2M");
        await Node.Run("systemctl restart --no-block image-cri-shim");
        await Until("[ $(systemctl show --value -p NRestarts image-cri-shim) -ge 2 ]");
        await Until("[ \"$(systemctl show --value -p ExecMainCode -p ExecMainStatus image-cri-shim)\" = \"$(printf '2\\n9')\" ]"); // killed, with KILL
        (await Node.Run("journalctl -q -b -o cat -u image-cri-shim")).ShouldNotContain("timeout"); // by the kernel: it is not systemd who killed it

        await Node.DropIn("MemoryMax=1G");
        await Until("systemctl is-active image-cri-shim");
        await Call();
    }

    private Task UntilAnotherServes(int before) => Wait.Until(async () => await Node.MainPid() is var pid && pid != 0 && pid != before, "another process runs");
}
