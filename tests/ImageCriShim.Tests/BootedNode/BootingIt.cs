namespace ImageCriShim.Tests.BootedNode;

/// <summary>The order in which a node starts: the runtime, the shim, kubelet.</summary>
[Collection<BootedNodeTests>]
public sealed class BootingIt(DebianNode node) : BootedTest(node)
{
    [Fact]
    public async Task The_runtime_is_up_before_the_shim_and_the_shim_before_kubelet()
    {
        await Node.Reboot();
        var (runtime, shim, kubelet) = (await Times("containerd"), await Times("image-cri-shim"), await Times("kubelet"));
        runtime.Active.ShouldBeLessThanOrEqualTo(shim.Started);
        shim.Active.ShouldBeLessThanOrEqualTo(kubelet.Started);
        (await Node.Show("NRestarts")).ShouldBe("0");
        (await Node.Run("journalctl -q -b -o cat -u kubelet -g 'no runtime answers' || true")).ShouldBe("");
    }

    [Fact]
    public async Task With_every_registry_down_an_image_that_was_pulled_before_is_found_by_its_public_name()
    {
        (await Pull("nginx:1.25")).ShouldBeOk();
        await Node.Write("/etc/kubelet-images", "nginx:1.25\n");
        await Node.Run("systemctl disable -q registry-registry.corp registry-mirror.corp");

        await Node.Reboot();

        (await Node.Try("systemctl is-active image-cri-shim registry-registry.corp registry-mirror.corp"))
            .ShouldStartWith("active\ninactive\ninactive\n");
        await KubeletSays("image nginx:1.25 is there");
        await using var caller = await Node.Connect();
        (await caller.FindId("nginx:1.25")).ShouldNotBeNull();
    }

    private async Task<(long Started, long Active)> Times(string unit)
    {
        var started = await Node.Show("ExecMainStartTimestampMonotonic", unit);
        return (long.Parse(started), long.Parse(await Node.Show("ActiveEnterTimestampMonotonic", unit)));
    }
}
