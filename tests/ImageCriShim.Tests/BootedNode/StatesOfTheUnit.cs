namespace ImageCriShim.Tests.BootedNode;

/// <summary>What <c>systemctl</c> shows of the service: <c>Type=notify</c> and its status line.</summary>
[Collection<BootedNodeTests>]
public sealed class StatesOfTheUnit(DebianNode node) : BootedTest(node)
{
    [Fact]
    public async Task Is_active_while_it_serves_and_says_what_it_serves()
    {
        await Node.Run("systemctl stop kubelet");
        (await Node.Run("systemctl is-active image-cri-shim")).ShouldBe("active");
        await Until(Says("^0 connections on /run/image-cri-shim.sock; runtime /run/containerd/containerd.sock is there$"));
        await using var caller = await Node.Connect();
        await caller.ListImages();
        await Until(Says("^1 connections on"));
    }

    [Fact]
    public async Task Says_that_the_runtime_is_away_and_that_it_is_back()
    {
        await Node.Run("systemctl stop containerd");
        await Until(Says("/run/containerd/containerd.sock.*; calls are answered UNAVAILABLE until it is back$"));
        await Node.Run("systemctl start containerd");
        await Until(Says("; runtime /run/containerd/containerd.sock is there$"));
    }

    [Fact]
    public async Task A_start_without_runtime_and_socket_is_one_that_failed_and_is_tried_until_it_succeeds()
    {
        await Node.Run("systemctl stop kubelet image-cri-shim.socket image-cri-shim.service containerd");
        await Node.Run("rm -f /run/containerd/containerd.sock");

        // One that is not Type=notify would have started.
        (await Node.Try("systemctl start image-cri-shim.service")).ShouldEndWith("exit code 1");

        await Until("[ $(systemctl show --value -p NRestarts image-cri-shim) -ge 2 ]");
        (await Node.Show("ActiveState")).ShouldBe("activating");
        await Node.Run("systemctl start containerd");
        await Until("systemctl is-active image-cri-shim");
    }

    [Fact]
    public async Task A_stop_is_a_success_and_ends_in_order()
    {
        await Node.Run("systemctl stop image-cri-shim.socket image-cri-shim.service");
        (await Node.Run("systemctl show -p ActiveState,Result,ExecMainCode,ExecMainStatus image-cri-shim | sort"))
            .ShouldBe("ActiveState=inactive\nExecMainCode=1\nExecMainStatus=0\nResult=success"); // it exited, with 0
    }

    [Fact]
    public async Task Settings_that_cannot_be_used_are_in_its_status_and_it_is_active_nevertheless()
    {
        await Node.Write("/etc/image-cri-shim.yaml", "adress: http://registry.corp:5000\n");
        await Node.Run("systemctl restart image-cri-shim");
        (await Node.Run("systemctl is-active image-cri-shim")).ShouldBe("active");
        await Until(Says("FAIL OPEN"));
        await Call();
        await Node.Write("/etc/image-cri-shim.yaml", DebianNode.Settings);
        await Node.Run("systemctl reload image-cri-shim");
        await Until(Says("^[0-9]+ connections on"));
    }

    private static string Says(string status) => $"systemctl show --value -p StatusText image-cri-shim | grep -Eq '{status}'";
}
