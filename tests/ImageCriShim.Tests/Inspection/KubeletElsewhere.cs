namespace ImageCriShim.Tests.Inspection;

public sealed class KubeletElsewhere : NodeTest
{
    private const string Containerd = "unix:///run/containerd/containerd.sock";

    [Fact]
    public async Task By_a_flag_of_kubeadm()
    {
        Node.WriteFile("/var/lib/kubelet/kubeadm-flags.env", $"KUBELET_KUBEADM_ARGS=\"--container-runtime-endpoint={Containerd} --v=2\"\n");
        await ShouldSayAndBeMended("""
            problem  kubelet: calls unix:///run/containerd/containerd.sock, not the shim (ROOT/var/lib/kubelet/kubeadm-flags.env:1)
                     - write as line 1 of ROOT/var/lib/kubelet/kubeadm-flags.env:
                         KUBELET_KUBEADM_ARGS="--container-runtime-endpoint=unix://DIR/shim.sock --v=2"
                     - run: systemctl restart kubelet

            1 to mend

            """);
    }

    [Fact]
    public async Task By_extra_arguments_that_count_more_than_those_of_kubeadm()
    {
        Node.WriteFile("/etc/default/kubelet", $"# ours\nKUBELET_EXTRA_ARGS=--container-runtime-endpoint={Containerd}\n");
        await ShouldSayAndBeMended("""
            problem  kubelet: calls unix:///run/containerd/containerd.sock, not the shim (ROOT/etc/default/kubelet:2)
                     - write as line 2 of ROOT/etc/default/kubelet:
                         KUBELET_EXTRA_ARGS=--container-runtime-endpoint=unix://DIR/shim.sock
                     - run: systemctl restart kubelet

            1 to mend

            """);
    }

    [Fact]
    public async Task By_a_key_of_its_config_file_which_may_send_images_elsewhere_too()
    {
        File.Delete(Node.FileOf("/var/lib/kubelet/kubeadm-flags.env"));
        Node.WriteFile("/var/lib/kubelet/config.yaml", $"kind: KubeletConfiguration\ncontainerRuntimeEndpoint: {Containerd}\nimageServiceEndpoint: \"{Containerd}\"\n");
        await ShouldSayAndBeMended("""
            problem  kubelet: calls unix:///run/containerd/containerd.sock, not the shim (ROOT/var/lib/kubelet/config.yaml:2)
                     - write as line 2 of ROOT/var/lib/kubelet/config.yaml:
                         containerRuntimeEndpoint: unix://DIR/shim.sock
                     - run: systemctl restart kubelet
            problem  kubelet: asks for images at unix:///run/containerd/containerd.sock, not the shim (ROOT/var/lib/kubelet/config.yaml:3)
                     - write as line 3 of ROOT/var/lib/kubelet/config.yaml:
                         imageServiceEndpoint: "unix://DIR/shim.sock"
                     - run: systemctl restart kubelet

            2 to mend

            """);
    }

    [Fact]
    public async Task By_nothing_at_all_where_kubeadm_has_flags()
    {
        Node.WriteFile("/var/lib/kubelet/kubeadm-flags.env", "KUBELET_KUBEADM_ARGS=\"--v=2\"\n");
        await ShouldSayAndBeMended("""
            problem  kubelet: is told of no runtime's socket, so it does not call the shim
                     - write as line 1 of ROOT/var/lib/kubelet/kubeadm-flags.env:
                         KUBELET_KUBEADM_ARGS="--v=2 --container-runtime-endpoint=unix://DIR/shim.sock"
                     - run: systemctl restart kubelet

            1 to mend

            """);
    }

    [Fact]
    public async Task By_nothing_at_all_where_there_is_only_a_config_file()
    {
        File.Delete(Node.FileOf("/var/lib/kubelet/kubeadm-flags.env"));
        await ShouldSayAndBeMended("""
            problem  kubelet: is told of no runtime's socket, so it does not call the shim
                     - add at the end of ROOT/var/lib/kubelet/config.yaml:
                         containerRuntimeEndpoint: unix://DIR/shim.sock
                     - run: systemctl restart kubelet

            1 to mend

            """);
    }

    [Fact]
    public async Task By_a_drop_in_of_its_unit()
    {
        File.Delete(Node.FileOf("/var/lib/kubelet/kubeadm-flags.env"));
        Node.WriteFile("/etc/systemd/system/kubelet.service.d/10-runtime.conf", $"[Service]\nExecStart=\nExecStart=/usr/bin/kubelet \\\n  --container-runtime-endpoint {Containerd} \\\n  --v=2\n");
        await ShouldSayAndBeMended("""
            problem  kubelet: calls unix:///run/containerd/containerd.sock, not the shim (ROOT/etc/systemd/system/kubelet.service.d/10-runtime.conf:4)
                     - write as line 4 of ROOT/etc/systemd/system/kubelet.service.d/10-runtime.conf:
                           --container-runtime-endpoint unix://DIR/shim.sock \
                     - run: systemctl restart kubelet

            1 to mend

            """);
    }

    [Fact]
    public async Task In_k3s()
    {
        Directory.Delete(Node.FileOf("/var/lib/kubelet"), recursive: true);
        Node.WriteFile("/etc/rancher/k3s/config.yaml", "write-kubeconfig-mode: \"0644\"\n");
        await ShouldSayAndBeMended("""
            problem  kubelet: is told of no runtime's socket, so it does not call the shim
                     - add at the end of ROOT/etc/rancher/k3s/config.yaml:
                         container-runtime-endpoint: unix://DIR/shim.sock
                     - run: systemctl restart k3s

            1 to mend

            """);
    }

    [Fact]
    public async Task Is_no_problem_where_there_is_none()
    {
        Directory.Delete(Node.FileOf("/var/lib/kubelet"), recursive: true);
        (await Node.Complaints()).ShouldBe("""
            warning  kubelet: there is none on this node
                     - when it is installed, start it with --container-runtime-endpoint=unix://DIR/shim.sock

            nothing to mend, 1 warning

            """);
    }
}
