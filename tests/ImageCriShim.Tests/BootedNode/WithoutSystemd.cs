namespace ImageCriShim.Tests.BootedNode;

/// <summary>The package where no systemd runs: in a chroot, as an image of a node is made.</summary>
[Collection<BootedNodeTests>]
public sealed class WithoutSystemd(DebianNode node) : BootedTest(node)
{
    private const string Overlay = "/run/chroot";

    [Fact]
    public async Task It_is_installed_upgraded_and_removed_without_a_trace_and_kubelet_is_pointed_back()
    {
        await Node.Run($"""
            dpkg -P image-cri-shim
            mkdir -p {Overlay}/upper {Overlay}/work {Overlay}/root
            mount -t overlay overlay -o lowerdir=/,upperdir={Overlay}/upper,workdir={Overlay}/work {Overlay}/root
            cp {Node.Package} {Node.NextPackage} {Overlay}/root/opt
            """);
        await InChroot($"dpkg -i {Node.Package}");
        (await InChroot("image-cri-shim install --cri /run/containerd/containerd.sock --yes")).ShouldContain("Installed.");
        (await InChroot($"cat {DebianNode.Kubelet}")).ShouldContain("image-cri-shim.sock");

        await InChroot("echo debug: true >>/etc/image-cri-shim.yaml");
        await InChroot($"dpkg -i {Node.NextPackage}");
        (await InChroot("tail -n 1 /etc/image-cri-shim.yaml")).ShouldBe("debug: true");

        await InChroot("dpkg -r image-cri-shim");
        (await InChroot($"cat {DebianNode.Kubelet}")).ShouldBe(DebianNode.KubeletAlone);
        (await InChroot("ls /usr/bin/image-cri-shim /etc/image-cri-shim.yaml 2>/dev/null || true")).ShouldBe("/etc/image-cri-shim.yaml");
        await InChroot("dpkg -P image-cri-shim");
        (await InChroot(DebianNode.Traces)).ShouldBe("");
    }

    public override async ValueTask DisposeAsync()
    {
        await Node.Run($"umount {Overlay}/root; rm -r {Overlay}");
        await base.DisposeAsync();
    }

    private Task<string> InChroot(string script) => Node.Run($"chroot {Overlay}/root sh -ec '{script.Replace("'", "'\\''")}'");
}
