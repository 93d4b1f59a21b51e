using ImageCriShim.Configuration;
using ImageCriShim.Installation;

namespace ImageCriShim.Tests.Installation;

/// <summary>Uninstalling where kubelet calls us by something else than what install wrote: it is pointed at the runtime there, or we stay.</summary>
public sealed class StillCalled : IDisposable
{
    private const string Us = "unix:///var/run/image-cri-shim.sock";
    private const string Containerd = "unix:///run/containerd/containerd.sock";
    private const string Flags = "/var/lib/kubelet/kubeadm-flags.env";
    private const string Settings = "/var/lib/kubelet/config.yaml";
    private const string Instance = "/var/lib/kubelet/instance-config.yaml";
    private const string Crictl = "/etc/crictl.yaml";
    private const string K3s = "/etc/rancher/k3s/config.yaml";
    private const string Program = "/usr/bin/image-cri-shim";

    private readonly InstalledNode _node = new();

    public void Dispose() => _node.Dispose();

    [Fact]
    public void As_kubeadm_1_34_moves_the_flag_into_its_files()
    {
        Install(Flags, $"KUBELET_KUBEADM_ARGS=\"--container-runtime-endpoint={Containerd} --v=2\"\n");
        _node.Write(Flags, "KUBELET_KUBEADM_ARGS=\"--v=2\"\n");
        _node.Write(Instance, $"kind: KubeletConfiguration\ncontainerRuntimeEndpoint: {Us}\n");
        _node.Write(Settings, $"kind: KubeletConfiguration\ncontainerRuntimeEndpoint: {Us} # by kubeadm\nimageServiceEndpoint: \"\"\n");
        var errors = ShouldBeGone();
        errors.ShouldContain($"{Settings} names image-cri-shim in other words than install wrote; now it names /run/containerd/containerd.sock\n");
        _node.Read(Settings).ShouldBe($"kind: KubeletConfiguration\ncontainerRuntimeEndpoint: {Containerd} # by kubeadm\nimageServiceEndpoint: \"\"\n");
        _node.Read(Instance).ShouldBe($"kind: KubeletConfiguration\ncontainerRuntimeEndpoint: {Containerd}\n");
        _node.Read(Flags).ShouldBe("KUBELET_KUBEADM_ARGS=\"--v=2\"\n");
    }

    [Fact]
    public void As_an_operator_has_added_a_flag_to_the_line()
    {
        Install(Flags, $"KUBELET_KUBEADM_ARGS=\"--container-runtime-endpoint={Containerd}\"\n");
        _node.Write(Flags, $"KUBELET_KUBEADM_ARGS=\"--node-ip=10.0.0.4 --container-runtime-endpoint={Us}\"\n");
        ShouldBeGone();
        _node.Read(Flags).ShouldBe($"KUBELET_KUBEADM_ARGS=\"--node-ip=10.0.0.4 --container-runtime-endpoint={Containerd}\"\n");
    }

    [Fact]
    public void As_an_operator_has_written_it_into_a_place_where_it_never_was()
    {
        Install(Flags, $"KUBELET_KUBEADM_ARGS=\"--container-runtime-endpoint={Containerd}\"\n");
        _node.Write("/etc/systemd/system/kubelet.service.d/50-ours.conf", "[Service]\nEnvironment=\"KUBELET_EXTRA_ARGS=--container-runtime-endpoint=/run/image-cri-shim.sock\"\n");
        ShouldBeGone();
        _node.Read("/etc/systemd/system/kubelet.service.d/50-ours.conf").ShouldBe($"[Service]\nEnvironment=\"KUBELET_EXTRA_ARGS=--container-runtime-endpoint={Containerd}\"\n");
    }

    [Fact]
    public void As_an_operator_has_added_to_files_that_install_made()
    {
        _node.Write("/usr/lib/systemd/system/kubelet.service", $"[Service]\nExecStart=/usr/bin/kubelet --container-runtime-endpoint={Containerd}\n");
        _node.Install(address: "sealos.hub").Code.ShouldBe(0);
        const string dropIn = "/etc/systemd/system/kubelet.service.d/90-image-cri-shim.conf";
        File.AppendAllText(_node.Root + dropIn, "OOMScoreAdjust=-900\n");
        File.AppendAllText(_node.Root + Crictl, "timeout: 30\n");
        ShouldBeGone();
        _node.Read(dropIn).ShouldEndWith($"[Service]\nExecStart=\nExecStart=/usr/bin/kubelet --container-runtime-endpoint={Containerd}\nOOMScoreAdjust=-900\n");
        _node.Read(Crictl).ShouldBe($"runtime-endpoint: {Containerd}\nimage-endpoint: {Containerd}\ntimeout: 30\n");
    }

    // Without the key above it, the entry would be a line of the value before.
    [Theory]
    [InlineData("token: abc\n", "  - \"max-pods=200\"\n", "token: abc\nkubelet-arg:\n  - \"max-pods=200\"\n")]
    [InlineData("", "  - \"max-pods=200\"\n", "kubelet-arg:\n  - \"max-pods=200\"\n")]
    [InlineData("token: abc\nkubelet-arg:\n- v=2\n", "- max-pods=200\n", "token: abc\nkubelet-arg:\n- v=2\n- max-pods=200\n")]
    public void As_an_operator_has_appended_to_a_list_of_ours(string before, string appended, string after)
    {
        Install(K3s, before);
        File.AppendAllText(_node.Root + K3s, appended);
        ShouldBeGone();
        _node.Read(K3s).ShouldBe(after);
    }

    [Fact]
    public void As_an_operator_has_written_the_list_anew()
    {
        Install(K3s, "token: abc\n");
        _node.Write(K3s, $"token: abc\nkubelet-arg: [max-pods=200, \"container-runtime-endpoint={Us}\"]\n");
        ShouldBeGone();
        _node.Read(K3s).ShouldBe("token: abc\nkubelet-arg: [max-pods=200, \"container-runtime-endpoint=unix:///run/k3s/containerd/containerd.sock\"]\n");
    }

    // The settings say what runs behind us now; what ran there at the installation may be gone.
    [Fact]
    public void The_runtime_is_the_one_that_the_settings_name_by_then()
    {
        Install(Flags, $"KUBELET_KUBEADM_ARGS=--container-runtime-endpoint=unix:///run/cri-dockerd.sock\n");
        _node.Write(Flags, $"KUBELET_KUBEADM_ARGS=--container-runtime-endpoint={Us} --v=2\n");
        _node.Write(ShimConfig.Path, _node.Read(ShimConfig.Path).Replace("cri: /run/cri-dockerd.sock", "cri: /run/containerd/containerd.sock", StringComparison.Ordinal));
        _node.Uninstall().Code.ShouldBe(0);
        _node.Read(Flags).ShouldBe($"KUBELET_KUBEADM_ARGS=--container-runtime-endpoint={Containerd} --v=2\n");
    }

    [Fact]
    public void By_a_package_so_that_everything_stays()
    {
        Install(Flags, $"KUBELET_KUBEADM_ARGS=\"--container-runtime-endpoint={Containerd}\"\n");
        _node.Write("/usr/lib/systemd/system/kubelet.service.d/10-vendor.conf", $"[Service]\nEnvironment=KUBELET_EXTRA_ARGS=--container-runtime-endpoint={Us}\n");
        var before = _node.Look();
        var outcome = _node.Uninstall();
        outcome.Code.ShouldBe(1);
        outcome.Errors.ShouldBe("kubelet calls image-cri-shim, so nothing was changed: /usr/lib/systemd/system/kubelet.service.d/10-vendor.conf, which belongs to a package, says so; "
            + $"have it name {Containerd}, and uninstall again\n");
        _node.Look().ShouldBe(before);
    }

    [Fact]
    public void By_settings_that_nobody_can_read_so_that_everything_stays()
    {
        Install(Settings, $"kind: KubeletConfiguration\ncontainerRuntimeEndpoint: {Containerd}\n");
        _node.Write(Settings, $"kind: [KubeletConfiguration\ncontainerRuntimeEndpoint: {Us}\n");
        var before = _node.Look();
        _node.Uninstall().Code.ShouldBe(1);
        _node.Look().ShouldBe(before);
    }

    [Fact]
    public void Whatever_is_interrupted_the_same_again_completes_it()
    {
        for (var step = 0; step < 100; step++)
        {
            using var node = new InstalledNode();
            node.Write(Flags, $"KUBELET_KUBEADM_ARGS=\"--container-runtime-endpoint={Containerd}\"\n");
            node.Install(address: "sealos.hub").Code.ShouldBe(0);
            node.Write(Flags, "KUBELET_KUBEADM_ARGS=\n");
            node.Write(Settings, $"containerRuntimeEndpoint: {Us}\n");
            var left = step;
            var isOver = false;
            try
            {
                node.Uninstall(beforeStep: _ => Interrupt(left-- == 0));
                isOver = true;
            }
            catch (OperationCanceledException)
            {
                node.Uninstall().Code.ShouldBe(0, $"step {step}");
            }

            node.Read(Settings).ShouldBe($"containerRuntimeEndpoint: {Containerd}\n");
            node.Has(Program).ShouldBeFalse();
            if (isOver)
                return;
        }

        Assert.Fail("it never ends");
    }

    private static void Interrupt(bool isTheMoment)
    {
        if (isTheMoment)
            throw new OperationCanceledException();
    }

    private void Install(string file, string text)
    {
        _node.Write(file, text);
        _node.Install(address: "sealos.hub").Code.ShouldBe(0);
        _node.Read(file).ShouldContain(Us);
    }

    private string ShouldBeGone()
    {
        var outcome = _node.Uninstall();
        outcome.Code.ShouldBe(0, outcome.Errors);
        _node.Has(Program).ShouldBeFalse();
        foreach (var file in _node.Look().Where(line => !line.Contains(" -> ", StringComparison.Ordinal) && !line.Contains("/ ", StringComparison.Ordinal)).Select(line => line.Split(' ')[0]))
            _node.Read(file).ShouldNotContain("image-cri-shim.sock");
        return outcome.Errors;
    }
}
