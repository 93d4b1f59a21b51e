using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.BootedNode;

/// <summary>The Debian package: what it brings, an upgrade under way, and its end.</summary>
[Collection<BootedNodeTests>]
public sealed class UpgradingOnIt(DebianNode node) : BootedTest(node)
{
    [Fact]
    public async Task An_upgrade_while_calls_go_on_fails_none_of_them()
    {
        var before = await Node.MainPid();
        using var enough = new CancellationTokenSource();
        var callers = Enumerable.Range(0, 4).Select(_ => CallUntil(enough.Token)).ToArray();

        await Node.Run($"dpkg -i {Node.NextPackage}");

        await Until($"[ $(systemctl show --value -p MainPID image-cri-shim) != {before} ]");
        (await Node.Run("dpkg-query -W -f '${Version}' image-cri-shim")).ShouldEndWith("+next");
        await enough.CancelAsync();
        (await Task.WhenAll(callers)).ShouldAllBe(calls => calls > 0);
    }

    [Fact]
    public async Task A_pull_that_is_under_way_survives_the_upgrade()
    {
        await Node.Write("/etc/image-cri-shim.yaml", DebianNode.Settings + "probeTimeout: 60s\n"); // the registry hangs for as long as dpkg takes
        await Node.Run("systemctl restart image-cri-shim");
        await using var kubelet = await Node.Connect();
        await Node.Run("systemctl kill --signal=STOP registry-registry.corp");
        var pull = kubelet.Pull("nginx:1.25");
        await Until("image-cri-shim status | grep -q '1 pulls in progress'");
        await Node.Run($"dpkg -i {Node.NextPackage}");
        await Until("image-cri-shim status | grep -q 'still serves 1 calls, PullImage for '");
        await Node.Run("systemctl kill --signal=CONT registry-registry.corp");
        (await pull).ShouldBeOk();
        await Call();
        await Until("image-cri-shim images | grep -q registry.corp:5000/library/nginx:1.25"); // in the record of the new process
    }

    [Fact]
    public async Task An_upgrade_keeps_the_settings_and_the_record_of_pulls()
    {
        (await Pull("nginx:1.25")).ShouldBeOk();
        await Node.Write("/etc/image-cri-shim.yaml", DebianNode.Settings + "debug: true\n");
        await Node.Run($"dpkg -i {Node.NextPackage}");
        (await Node.Run("cat /etc/image-cri-shim.yaml")).ShouldEndWith("debug: true");
        (await Node.Run("stat -c %a /etc/image-cri-shim.yaml")).ShouldBe("600");
        (await Node.Run("image-cri-shim images")).ShouldContain("registry.corp:5000/library/nginx:1.25");
    }

    [Fact]
    public async Task An_upgrade_closes_the_directory_of_drop_ins_unless_the_operator_has_chosen_its_mode()
    {
        const string mode = "stat -c '%a %U' /etc/image-cri-shim.d";
        await Node.Run("chmod 755 /etc/image-cri-shim.d"); // as earlier packages made it
        await Node.Run($"dpkg -i {Node.NextPackage}");
        (await Node.Run(mode)).ShouldBe("750 root");

        await Node.Run("dpkg-statoverride --update --add root root 755 /etc/image-cri-shim.d");
        await Node.Run($"dpkg -i {Node.Package}");
        (await Node.Run(mode)).ShouldBe("755 root");
        await Node.Run("dpkg-statoverride --remove /etc/image-cri-shim.d; chmod 750 /etc/image-cri-shim.d");
    }

    [Fact]
    public async Task The_package_alone_starts_nothing_and_changes_no_file_of_the_node()
    {
        await Node.Run("dpkg -P image-cri-shim");
        (await Node.Run($"apt-get install -q -y -o APT::Sandbox::User=root {Node.Package}")).ShouldNotContain("warn");
        (await Node.Try("systemctl is-active image-cri-shim.socket image-cri-shim.service")).ShouldStartWith("inactive\ninactive\n");
        (await Node.Run($"cat {DebianNode.Kubelet}")).ShouldBe(DebianNode.KubeletAlone);
        (await Node.Run("dpkg -V image-cri-shim; stat -c '%a %n' /etc/image-cri-shim.yaml; image-cri-shim config check"))
            .ShouldBe("600 /etc/image-cri-shim.yaml\n/etc/image-cri-shim.yaml can be used: 0 warnings");
        await Node.Run("ls /usr/share/man/man8/image-cri-shim.8.gz");
        await Node.Run("cd /usr/share/image-cri-shim; ls image-cri-shim.json image-cri-shim.rules.yaml");
    }

    [Fact]
    public async Task Removing_the_package_points_kubelet_back_and_keeps_the_settings()
    {
        await Node.Run("dpkg -r image-cri-shim");
        (await Node.Run($"cat {DebianNode.Kubelet}")).ShouldBe(DebianNode.KubeletAlone);
        (await Node.Run("ls /usr/bin/image-cri-shim /etc/crictl.yaml /etc/image-cri-shim.yaml 2>/dev/null || true"))
            .ShouldBe("/etc/image-cri-shim.yaml");
        await KubeletSays("answers on unix:///run/containerd/containerd.sock");
        (await Node.Try("systemctl is-active image-cri-shim.socket image-cri-shim.service kubelet"))
            .ShouldStartWith("inactive\ninactive\nactive");
    }

    [Fact]
    public async Task Purging_it_leaves_no_trace()
    {
        (await Pull("nginx:1.25")).ShouldBeOk();
        await Node.Run("dpkg -P image-cri-shim");
        (await Node.Run(DebianNode.Traces)).ShouldBe("");
        (await Node.Run("systemctl list-units --all --no-legend 'image-cri-shim*'")).ShouldBe("");
        (await Node.Run("systemctl list-unit-files --no-legend 'image-cri-shim*' || true")).ShouldBe("");
    }

    // Each call on a connection of its own: kubelet's client, too, comes back on a new one.
    private async Task<int> CallUntil(CancellationToken enough)
    {
        var (calls, socket) = (0, await Node.PathOf("/run/image-cri-shim.sock"));
        for (; !enough.IsCancellationRequested; calls++)
        {
            await using var caller = await CriCaller.Connect(socket);
            (await caller.ListImages()).ShouldNotBeEmpty();
        }

        return calls;
    }
}
