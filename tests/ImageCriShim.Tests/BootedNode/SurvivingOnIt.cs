using System.Net.Sockets;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.BootedNode;

/// <summary>A shim that hangs, is killed, or has no memory: systemd brings it back, and callers wait meanwhile.</summary>
[Collection<BootedNodeTests>]
public sealed class SurvivingOnIt(DebianNode node) : BootedTest(node)
{
    [Fact]
    public async Task One_that_hangs_is_killed_by_the_watchdog_and_started_again()
    {
        (await Node.Show("WatchdogUSec")).ShouldBe("30s");
        await Node.DropIn("WatchdogSec=5");
        await Node.Run("systemctl restart image-cri-shim");

        var before = int.Parse(await Node.Run("pid=$(systemctl show --value -p MainPID image-cri-shim); kill -STOP $pid; echo $pid"));
        var call = Call(); // of a caller who comes meanwhile

        await UntilAnotherServes(before);
        await Wait.For(call.ContinueWith(_ => { }, TaskScheduler.Default)); // of the one that hung it fails, of the next it does not
        await Call();
        (await Node.Run("journalctl -q -b -o cat -u image-cri-shim")).ShouldContain("Watchdog timeout (limit 5s)!");
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
    public async Task Out_of_memory_while_it_serves_it_is_killed_and_comes_back()
    {
        await Node.Run("systemctl stop kubelet");
        await Node.DropIn("MemoryMax=3M");
        var since = await Now();
        await Node.Run("systemctl restart image-cri-shim");
        var before = await Node.MainPid();

        await using (var many = new Callers(await Node.PathOf("/run/image-cri-shim.sock")))
        {
            await Wait.Until(async () => await many.Add() && await Node.MainPid() != before, "the kernel kills it");
            await UntilKilled(since);
        }

        await UntilAnotherServes(before);
        await Node.DropIn("MemoryMax=1G");
        await Node.Run("systemctl restart image-cri-shim");
        await Call();
    }

    [Fact]
    public async Task Without_memory_to_start_it_is_tried_again_and_again_and_comes_as_soon_as_there_is_some()
    {
        const int MoreThanSystemdWouldTryByItself = 6;
        await Node.Run("systemctl stop kubelet");
        await Node.DropIn("MemoryMax=1M");
        var since = await Now();
        await Node.Run("systemctl restart --no-block image-cri-shim");
        await Until($"[ $(systemctl show --value -p NRestarts image-cri-shim) -ge {MoreThanSystemdWouldTryByItself} ]");
        await UntilKilled(since);

        await Node.DropIn("MemoryMax=1G");
        await Until("systemctl is-active image-cri-shim");
        await Call();
    }

    /// <summary>Waits for what systemd says of a process that the kernel has killed: of its own kills it says that they are.</summary>
    private Task UntilKilled(string since) =>
        Until($"journalctl -q -b -o cat -u image-cri-shim --since {since} | grep -q 'code=killed, status=9/KILL'");

    private Task<string> Now() => Node.Run("date +@%s");

    private Task UntilAnotherServes(int before) =>
        Wait.Until(async () => await Node.MainPid() is var pid && pid != 0 && pid != before, "another process runs");

    /// <summary>Callers that stay connected, so that the shim needs memory for each.</summary>
    private sealed class Callers(string socket) : IAsyncDisposable
    {
        private readonly List<CriCaller> _callers = [];

        /// <summary>Adds one.</summary>
        /// <returns>Whether it was not served, as when the shim has gone.</returns>
        public async Task<bool> Add()
        {
            try
            {
                _callers.Add(await CriCaller.Connect(socket));
                await _callers[^1].ListImages();
                return false;
            }
            catch (Exception e) when (e is ConnectionLostException or SocketException or IOException or ShouldAssertException)
            {
                return true;
            }
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var caller in _callers) await caller.DisposeAsync();
        }
    }
}
