using System.Text.Json.Nodes;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Faults;

namespace ImageCriShim.Tests.BootedNode;

/// <summary>Upgrades, reloads and restarts as systemd does them, under the load of a kubelet on grpc-go, with a runtime on grpc-go behind the shim.</summary>
[Collection<BootedNodeTests>]
public sealed class HandingOverOnIt(DebianNode node) : BootedTest(node)
{
    private const string Replace = "cp /usr/bin/image-cri-shim /usr/bin/shim.new && mv /usr/bin/shim.new /usr/bin/image-cri-shim";

    public override async ValueTask DisposeAsync()
    {
        await Node.Run("systemctl stop peer-runtime 2>/dev/null || true");
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Systemd_follows_the_successor_and_goes_on_watching_it()
    {
        await Node.DropIn("WatchdogSec=4");
        await Node.Run("systemctl restart image-cri-shim");
        var before = await Node.MainPid();
        await Node.Run($"{Replace} && systemctl reload image-cri-shim");
        (await Node.MainPid()).ShouldNotBe(before);
        await Until($"[ ! -e /proc/{before} ]");
        var seen = await Node.Show("WatchdogTimestampMonotonic");
        await Until($"[ $(systemctl show --value -p WatchdogTimestampMonotonic image-cri-shim) != {seen} ]");
        (await Node.Show("ActiveState")).ShouldBe("active");
        (await Node.Show("NRestarts")).ShouldBe("0");
        (await Node.Show("StatusText")).ShouldContain("connections on /run/image-cri-shim.sock");
        (await Node.Run("journalctl -q -b -o cat -u image-cri-shim")).ShouldNotContain("is not our child");
        var successor = await Node.MainPid();
        await Node.Run("systemctl kill --signal=KILL --kill-who=main image-cri-shim");
        await Until($"pid=$(systemctl show --value -p MainPID image-cri-shim); [ $pid != 0 ] && [ $pid != {successor} ]");
        await Call();
    }

    [Fact]
    public async Task A_reload_that_finds_nothing_new_keeps_the_process()
    {
        var before = await Node.MainPid();
        await Node.Run("systemctl reload image-cri-shim");
        (await Node.MainPid()).ShouldBe(before);
    }

    [Theory]
    [InlineData("printf '#!/bin/sh\\nexit 1\\n' > /usr/bin/shim.new; chmod 755 /usr/bin/shim.new; mv /usr/bin/shim.new /usr/bin/image-cri-shim", "ended before it served")]
    [InlineData("echo nonsense: 1 >> /etc/image-cri-shim.yaml", "nonsense")]
    public async Task An_upgrade_that_fails_is_no_event_for_the_node(string change, string reason)
    {
        await Node.Run("cp /usr/bin/image-cri-shim /opt/as-it-was");
        var before = await Node.MainPid();
        await Node.Run(change);
        (await Node.Try("/opt/as-it-was reload --handover")).ShouldMatch($"(?s)the handover failed.*{reason}.*exit code 1");
        (await Node.MainPid()).ShouldBe(before);
        await Call();
        (await Node.Show("ActiveState")).ShouldBe("active");
        (await Node.Show("StatusText")).ShouldContain("a handover failed");
        (await Node.Run("/opt/as-it-was status || true")).ShouldContain("handover FAILED");
        (await Node.Run("curl -s 127.0.0.1:9464/metrics")).ShouldContain("image_cri_shim_handovers_total{result=\"failed\"} 1");
        await Node.Run("mv /opt/as-it-was /usr/bin/image-cri-shim");
    }

    [Fact]
    public async Task A_successor_that_takes_all_memory_is_killed_and_the_old_process_serves_on()
    {
        await StartRuntime();
        await Node.DropIn("MemoryMax=64M");
        await Node.Run("systemctl restart image-cri-shim; cp /usr/bin/image-cri-shim /opt/as-it-was");
        var before = await Node.MainPid();
        await using var kubelet = await StartKubelet(new JsonObject { ["exec"] = 5 });
        await Node.Write("/usr/bin/shim.new", "#!/bin/sh\nexec awk 'BEGIN { for (text = \"x\"; ; ) text = text text }'\n");
        await Node.Run("chmod 755 /usr/bin/shim.new; mv /usr/bin/shim.new /usr/bin/image-cri-shim");
        (await Node.Try("/opt/as-it-was reload")).ShouldMatch("(?s)ended before it served.*exit code 1");
        await Node.Run("mv /opt/as-it-was /usr/bin/image-cri-shim");
        (await Node.MainPid()).ShouldBe(before);
        (await kubelet.FinishAsync()).ShouldNotHaveFailed();
    }

    [Fact]
    public async Task A_successor_offers_itself_to_the_kernel_while_it_starts_and_not_any_more_when_it_serves()
    {
        const string score = "cat /proc/$(systemctl show --value -p MainPID image-cri-shim)/oom_score_adj";
        var before = await Node.Run(score);
        await Node.Run("image-cri-shim reload --handover");
        (await Node.Run(score)).ShouldBe(before);
    }

    [Fact]
    public async Task With_everything_in_flight_a_reload_an_upgrade_and_an_install_fail_no_call()
    {
        await StartRuntime();
        await using var kubelet = await StartKubelet(Everything());
        await Node.Run($"{Replace} && systemctl reload image-cri-shim");
        var reloaded = await Node.MainPid();
        await Node.Run($"dpkg -i {Node.NextPackage}");
        var upgraded = await Node.MainPid();
        upgraded.ShouldNotBe(reloaded);
        await Node.Run("image-cri-shim reload --handover");
        await Until("image-cri-shim status | grep -q 'still serves .* calls, '");
        var sums = await kubelet.FinishAsync();
        Report.Write([$"reload, package upgrade, handover with everything in flight: {sums.Figures}"]);
        sums.ShouldNotHaveFailed();
        sums.Long.Count.ShouldBe(4);
    }

    [Fact]
    public async Task Twenty_handovers_in_a_row_leave_a_process_like_a_fresh_one()
    {
        await StartRuntime();
        var fresh = await Footprint();
        await using var kubelet = await StartKubelet([]);
        for (var handover = 0; handover < 20; handover++)
            await Node.Run("image-cri-shim reload --handover");
        var sums = await kubelet.FinishAsync();
        Report.Write([$"twenty handovers: {sums.Figures}"]);
        sums.ShouldNotHaveFailed();
        await Until("[ $(systemctl show --value -p TasksCurrent image-cri-shim) -le 40 ]"); // those that watched events have ended too
        var last = await Footprint();
        Report.Write([$"a fresh process: {fresh}; after twenty handovers: {last}"]);
        last.Descriptors.ShouldBeLessThanOrEqualTo(fresh.Descriptors + 8);
        last.Threads.ShouldBeLessThanOrEqualTo(fresh.Threads + 8);
        (await Node.Show("NRestarts")).ShouldBe("0");
    }

    [Fact]
    public async Task A_plain_restart_with_everything_in_flight_cuts_only_what_lasts_longer_than_the_limit_and_names_it()
    {
        await StartRuntime();
        await using var kubelet = await StartKubelet(Everything());
        await Node.Run("systemctl restart image-cri-shim");
        var sums = await kubelet.FinishAsync();
        Report.Write([$"systemctl restart with everything in flight: {sums.Figures}"]);
        sums.Failed.ShouldBeEmpty(sums.Texts);
        sums.Long.Order().ShouldBe(["ExecSync OK", "ExecSync OK", "PullImage Unavailable", "StopContainer Unavailable"]);
        (await Node.Run("journalctl -q -b -o cat -u image-cri-shim")).ShouldMatch("calls are cut, because they did not end within 40 s .*(PullImage|StopContainer) for 4");
    }

    [Fact]
    public async Task After_SIGKILL_of_the_main_process_the_figures_are()
    {
        await StartRuntime();
        await using var kubelet = await StartKubelet(new JsonObject { ["subscribe"] = true });
        await Node.Run("systemctl kill --signal=KILL --kill-who=main image-cri-shim; sleep 3");
        var sums = await kubelet.FinishAsync();
        Report.Write([$"SIGKILL: {sums.Figures}"]);
        sums.FailedCalls.ShouldBeLessThan(sums.Calls / 2, sums.Texts);
        await Call();
    }

    [Fact]
    public async Task A_stop_for_good_answers_those_who_wait()
    {
        await Node.Run("systemctl stop kubelet");
        await StartRuntime();
        await using var kubelet = await StartKubelet(new JsonObject { ["exec"] = 3 });
        await Node.Run("systemctl stop image-cri-shim.socket image-cri-shim.service");
        var sums = await kubelet.FinishAsync();
        sums.Long.ShouldBe(["ExecSync OK"]);
        sums.Failed.Keys.ShouldAllBe(failed => failed.EndsWith(" Unavailable", StringComparison.Ordinal), sums.Texts);
        const string reason = "image-cri-shim: it has been stopped; nobody serves /run/image-cri-shim.sock until it is started again";
        var said = await Node.Run("journalctl -u image-cri-shim -n 10 -o short-precise --no-pager");
        sums.Texts.Contains(reason, StringComparison.Ordinal).ShouldBeTrue($"{sums.Texts}\n{said}"); // all of it, which Shouldly would shorten
        await Node.Run("systemctl start image-cri-shim.socket image-cri-shim.service kubelet");
    }

    private static JsonObject Everything() => new()
    {
        ["execs"] = new JsonArray(12, 25),
        ["stop"] = 60,
        ["pull"] = "b:1",
        ["subscribe"] = true,
    };

    /// <summary>A runtime in which pulls take two minutes, behind the shim.</summary>
    private async Task StartRuntime()
    {
        var program = await Node.Put(await Peer.GoRuntime());
        await Node.Run($"systemd-run -q --unit=peer-runtime sh -c 'sleep infinity | exec {program} /run/peer.sock --slow-pulls 120'");
        await Until("[ -S /run/peer.sock ]");
        await Node.Write("/etc/image-cri-shim.yaml", "address: http://127.0.0.1:1\ncri: /run/peer.sock\n"); // nobody listens there: pulled as given
        await Node.Run("systemctl restart image-cri-shim");
    }

    private async Task<GoKubelet> StartKubelet(JsonObject load)
    {
        load["probe"] = RawConnection.Patience.TotalSeconds; // kubelet's second is about the machine, not about the shim
        return await GoKubelet.StartAsync(Stack.Go, await Node.PathOf("/run/image-cri-shim.sock"), load);
    }

    private async Task<(int Descriptors, int Threads, int Kilobytes)> Footprint()
    {
        const string look = "cd /proc/$(systemctl show --value -p MainPID image-cri-shim); ls fd | wc -l; ls task | wc -l; awk '/^RssAnon/ { print $2 }' status";
        var figures = (await Node.Run(look)).Split('\n').Select(int.Parse).ToArray();
        return (figures[0], figures[1], figures[2]);
    }
}
