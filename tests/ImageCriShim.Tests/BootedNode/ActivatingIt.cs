using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.BootedNode;

/// <summary>image-cri-shim.socket: systemd makes the socket and goes on holding it.</summary>
[Collection<BootedNodeTests>]
public sealed class ActivatingIt(DebianNode node) : BootedTest(node)
{
    [Fact]
    public async Task A_caller_starts_the_service_by_its_socket()
    {
        await Node.Run("systemctl stop kubelet; systemctl stop image-cri-shim.service"); // in turn: its last call would start it again
        (await Node.Show("ActiveState")).ShouldBe("inactive");
        (await Node.Show("ActiveState", "image-cri-shim.socket")).ShouldBe("active");

        await Call();

        (await Node.Show("ActiveState")).ShouldBe("active");
        (await Node.Show("TriggeredBy")).ShouldBe("image-cri-shim.socket");
    }

    [Fact]
    public async Task The_socket_is_the_same_file_over_restarts_with_the_access_that_the_runtimes_has()
    {
        await Node.Run("cd /run/containerd; chown 0:33 containerd.sock; chmod 660 containerd.sock; systemctl restart image-cri-shim");
        await Call();
        (await Node.Run("stat -c '%u:%g %a' /run/image-cri-shim.sock")).ShouldBe("0:33 660");
        var before = await Node.Run("stat -c %i /run/image-cri-shim.sock");
        await Node.Run("systemctl restart image-cri-shim");
        (await Node.Run("stat -c %i /run/image-cri-shim.sock")).ShouldBe(before);
    }

    [Fact]
    public async Task A_caller_waits_while_there_is_no_service_and_is_then_served()
    {
        await Node.Run("systemctl stop kubelet; mkdir -p /run/late; mkfifo /run/late/go");
        await Node.DropIn("ExecStartPre=/bin/sh -c 'read go </run/late/go'");
        await Node.Run("systemctl stop image-cri-shim.service");
        var call = Call();
        await Until("[ $(systemctl show --value -p SubState image-cri-shim) = start-pre ]");
        call.IsCompleted.ShouldBeFalse();
        await Node.Run("echo now >/run/late/go; rm -r /run/late");
        await Wait.For(call);
    }
}
