namespace ImageCriShim.Tests.BootedNode;

/// <summary><c>install</c>, <c>uninstall</c> and <c>check</c> where there is a systemd to enable, start and restart units.</summary>
[Collection<BootedNodeTests>]
public sealed class InstallingOnIt(DebianNode node) : BootedTest(node)
{
    [Fact]
    public async Task Install_points_kubelet_at_the_shim_and_restarts_it()
    {
        await Node.Run("image-cri-shim uninstall --yes");
        var before = await Node.Show("ExecMainStartTimestampMonotonic", "kubelet");

        (await Node.Try("image-cri-shim install --yes")).ShouldEndWith("Installed. This undoes it: image-cri-shim uninstall\nexit code 0");

        (await Node.Show("ExecMainStartTimestampMonotonic", "kubelet")).ShouldNotBe(before);
        (await Node.Run("systemctl is-enabled image-cri-shim.socket image-cri-shim.service")).ShouldBe("enabled\nenabled");
        (await Node.Show("FragmentPath")).ShouldBe("/lib/systemd/system/image-cri-shim.service"); // the package's
        await KubeletSays("answers on unix:///var/run/image-cri-shim.sock");
    }

    [Fact]
    public async Task Install_a_second_time_changes_and_restarts_nothing()
    {
        const string Started = "systemctl show -p ExecMainStartTimestampMonotonic kubelet image-cri-shim";
        var before = await Node.Run(Started);
        (await Node.Try("image-cri-shim install --yes")).ShouldBe("Nothing to do: everything is installed as it should be.\nexit code 0");
        (await Node.Run(Started)).ShouldBe(before);
    }

    [Fact]
    public async Task Uninstall_puts_kubelet_back_and_stops_the_shim()
    {
        (await Node.Try("image-cri-shim uninstall --yes")).ShouldEndWith("Uninstalled.\nexit code 0");

        (await Node.Run($"cat {DebianNode.Kubelet}")).ShouldBe(DebianNode.KubeletAlone);
        (await Node.Try("systemctl is-enabled image-cri-shim.socket image-cri-shim.service")).ShouldBe("disabled\ndisabled\nexit code 1");
        (await Node.Try("systemctl is-active image-cri-shim.socket image-cri-shim.service")).ShouldBe("inactive\ninactive\nexit code 3");
        (await Node.Run("ls /etc/crictl.yaml /run/image-cri-shim.sock 2>/dev/null || true")).ShouldBe("");
        await KubeletSays("answers on unix:///run/containerd/containerd.sock");
    }

    [Fact]
    public async Task Uninstall_follows_what_others_have_moved_and_ends_only_when_kubelet_calls_the_runtime()
    {
        await Node.Run($"sed -i 's/KUBELET_KUBEADM_ARGS=\"/&--v=2 /' {DebianNode.Kubelet}");
        (await Node.Try("image-cri-shim uninstall --yes")).ShouldEndWith("Uninstalled.\nexit code 0");
        (await Node.Run($"cat {DebianNode.Kubelet}")).ShouldContain("--v=2 --container-runtime-endpoint=unix:///run/containerd/containerd.sock");
        await KubeletSays("answers on unix:///run/containerd/containerd.sock");
        await Node.Run($"sed -i 's/--v=2 //' {DebianNode.Kubelet}");
    }

    [Fact]
    public async Task Uninstall_leaves_the_shim_where_the_runtime_does_not_answer()
    {
        await Node.Run("systemctl stop containerd.service");
        var said = await Node.Try("image-cri-shim uninstall --yes");
        said.ShouldContain("image-cri-shim stays and goes on serving; put that right, and uninstall again");
        said.ShouldEndWith("exit code 1");
        (await Node.Run("systemctl is-active image-cri-shim.socket image-cri-shim.service")).ShouldBe("active\nactive");
        await Node.Run("systemctl start containerd.service");
        (await Node.Try("image-cri-shim uninstall --yes")).ShouldEndWith("Uninstalled.\nexit code 0");
    }

    [Fact]
    public async Task Check_says_whom_the_kubelet_that_runs_was_told_to_call()
    {
        await Node.Run($"cp {DebianNode.Kubelet} /tmp/kubelet && sed -i 's/image-cri-shim.sock/other.sock/' {DebianNode.Kubelet} && systemctl restart kubelet && cp /tmp/kubelet {DebianNode.Kubelet}");
        var said = await Node.Try("image-cri-shim check");
        said.ShouldMatch("problem +kubelet: runs with \\S*other.sock, not with the shim \\(process [0-9]+\\)\n +- run: systemctl restart kubelet\n");
        await Node.Run("systemctl restart kubelet");
        (await Node.Try("image-cri-shim check")).ShouldEndWith("nothing to mend\nexit code 0");
    }

    [Fact]
    public async Task A_kubelet_that_does_not_run_is_not_started()
    {
        await Node.Run("image-cri-shim uninstall --yes && systemctl stop kubelet");
        (await Node.Try("image-cri-shim install --yes")).ShouldEndWith("exit code 0");
        (await Node.Try("systemctl is-active kubelet")).ShouldBe("inactive\nexit code 3");
        await Node.Run("systemctl start kubelet");
    }

    [Fact]
    public async Task Check_finds_nothing_to_mend_on_a_node_as_install_leaves_it()
    {
        var said = await Node.Try("image-cri-shim check");
        said.ShouldEndWith("nothing to mend\nexit code 0");
        said.Split('\n').Where(line => line.StartsWith("warning", StringComparison.Ordinal)).ShouldBeEmpty(said);
    }

    [Fact]
    public async Task What_check_says_to_run_mends_a_node_whose_shim_is_stopped()
    {
        await Node.Run("systemctl stop image-cri-shim.socket image-cri-shim.service");
        var said = await Node.Try("image-cri-shim check");
        var remedies = said.Split('\n').Where(line => line.Trim().StartsWith("- run: ", StringComparison.Ordinal)).ToArray();
        remedies.ShouldNotBeEmpty(said);
        foreach (var remedy in remedies)
            await Node.Run(remedy.Trim()["- run: ".Length..]);
        (await Node.Try("image-cri-shim check")).ShouldEndWith("nothing to mend\nexit code 0");
    }
}
