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
                     - write as line 3 of ROOT/var/lib/kubelet/config.yaml:
                         imageServiceEndpoint: "unix://DIR/shim.sock"
                     - run: systemctl restart kubelet

            1 to mend

            """);
    }

    [Fact]
    public async Task For_images_alone()
    {
        Node.WriteFile("/var/lib/kubelet/config.yaml", $"kind: KubeletConfiguration\nimageServiceEndpoint: {Containerd}\n");
        await ShouldSayAndBeMended("""
            problem  kubelet: calls the shim (ROOT/var/lib/kubelet/kubeadm-flags.env:1), but not for images
                     - write as line 2 of ROOT/var/lib/kubelet/config.yaml:
                         imageServiceEndpoint: unix://DIR/shim.sock
                     - run: systemctl restart kubelet

            1 to mend

            """);
    }

    [Fact]
    public async Task By_nothing_at_all_where_kubeadm_has_flags()
    {
        Node.WriteFile("/var/lib/kubelet/kubeadm-flags.env", "KUBELET_KUBEADM_ARGS=\"--v=2\"\n");
        (await Node.Complaints()).ShouldBe("""
            problem  kubelet: does not call the shim, as far as its files say
                     - /var/lib/kubelet/kubeadm-flags.env names no runtime: kubelet before 1.24 then runs Docker itself, and nothing can stand in between; with any other runtime add --container-runtime-endpoint=unix://PATH there, and install again

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
                     - run: systemctl daemon-reload && systemctl restart kubelet

            1 to mend

            """);
    }

    [Fact]
    public async Task By_the_unit_of_a_package_which_stays_as_it_is()
    {
        File.Delete(Node.FileOf("/var/lib/kubelet/kubeadm-flags.env"));
        Node.WriteFile("/usr/lib/systemd/system/kubelet.service", $"[Service]\nExecStart=/usr/bin/kubelet --container-runtime-endpoint={Containerd}\n");
        await ShouldSayAndBeMended("""
            problem  kubelet: calls unix:///run/containerd/containerd.sock, not the shim (ROOT/usr/lib/systemd/system/kubelet.service:2)
                     - write ROOT/etc/systemd/system/kubelet.service.d/90-image-cri-shim.conf:
                         # A copy of what /usr/lib/systemd/system/kubelet.service says, with another socket. When that changes, image-cri-shim check says so.
                         # marks: MARKS
                         [Service]
                         ExecStart=
                         ExecStart=/usr/bin/kubelet --container-runtime-endpoint=unix://DIR/shim.sock
                     - run: systemctl daemon-reload && systemctl restart kubelet

            1 to mend

            """);
    }

    [Fact]
    public async Task By_a_copy_of_a_command_that_its_package_has_changed_since()
    {
        await By_the_unit_of_a_package_which_stays_as_it_is();
        Node.WriteFile("/usr/lib/systemd/system/kubelet.service", $"[Service]\nExecStart=/usr/bin/kubelet --container-runtime-endpoint={Containerd} --v=2\n");
        await ShouldSayAndBeMended("""
            problem  kubelet: calls the shim (ROOT/etc/systemd/system/kubelet.service.d/90-image-cri-shim.conf:5), but ROOT/etc/systemd/system/kubelet.service.d/90-image-cri-shim.conf is not what its package has by now
                     - write as line 2 of ROOT/etc/systemd/system/kubelet.service.d/90-image-cri-shim.conf:
                         # marks: MARKS
                     - write as line 5 of ROOT/etc/systemd/system/kubelet.service.d/90-image-cri-shim.conf:
                         ExecStart=/usr/bin/kubelet --container-runtime-endpoint=unix://DIR/shim.sock --v=2
                     - run: systemctl daemon-reload && systemctl restart kubelet

            1 to mend

            """);
    }

    [Fact]
    public async Task As_kubeadms_next_upgrade_has_it()
    {
        File.Delete(Node.FileOf("/var/lib/kubelet/kubeadm-flags.env"));
        Node.WriteFile("/var/lib/kubelet/config.yaml", $"containerRuntimeEndpoint: unix://{Node.ShimSocket}\n");
        Node.WriteFile("/var/lib/kubelet/instance-config.yaml", $"containerRuntimeEndpoint: {Containerd}\n");
        await ShouldSayAndBeMended("""
            problem  kubelet: calls the shim (ROOT/var/lib/kubelet/config.yaml:1), but ROOT/var/lib/kubelet/instance-config.yaml says otherwise
                     - write as line 1 of ROOT/var/lib/kubelet/instance-config.yaml:
                         containerRuntimeEndpoint: unix://DIR/shim.sock
                     - run: systemctl restart kubelet

            1 to mend

            """);
    }

    [Fact]
    public async Task On_a_distribution_that_is_not_supported()
    {
        HasOnly("/var/snap/microk8s/current/args/kubelet", "--container-runtime-endpoint=${SNAP_COMMON}/run/containerd.sock\n");
        (await Node.Complaints()).ShouldBe("""
            problem  kubelet: is that of MicroK8s, which install does not support
                     - write cri: /var/snap/microk8s/common/run/containerd.sock into /etc/image-cri-shim.yaml, start image-cri-shim by its units, write --container-runtime-endpoint=unix:///var/run/image-cri-shim.sock into /var/snap/microk8s/current/args/kubelet, and run: snap restart microk8s.daemon-kubelite

            1 to mend

            """);
    }

    [Fact]
    public async Task By_a_file_that_links_lead_to_within_the_root()
    {
        Node.WriteFile("/etc/default/kubelet", $"KUBELET_EXTRA_ARGS=--container-runtime-endpoint={Containerd}\n");
        File.CreateSymbolicLink(Node.FileOf("/etc/sysconfig"), "/etc/default");
        (await Node.Complaints()).ShouldContain("not the shim (ROOT/etc/default/kubelet:1)");
    }

    [Fact]
    public async Task In_k3s_whose_own_containerd_goes_on()
    {
        HasOnly("/etc/rancher/k3s/config.yaml", "write-kubeconfig-mode: \"0644\"\n");
        await ShouldSayAndBeMended("""
            problem  kubelet: calls /run/k3s/containerd/containerd.sock, not the shim
                     - add at the end of ROOT/etc/rancher/k3s/config.yaml:
                         kubelet-arg:
                           - "container-runtime-endpoint=unix://DIR/shim.sock"
                     - run: systemctl restart k3s

            1 to mend

            """);
    }

    [Fact]
    public async Task In_rke2_which_has_arguments_for_kubelet_already()
    {
        HasOnly("/etc/rancher/rke2/config.yaml", "kubelet-arg:\n  - \"max-pods=200\"\ntls-san: [a]\n");
        await ShouldSayAndBeMended("""
            problem  kubelet: calls /run/k3s/containerd/containerd.sock, not the shim
                     - add behind line 1 of ROOT/etc/rancher/rke2/config.yaml:
                           - "container-runtime-endpoint=unix://DIR/shim.sock"
                     - run: systemctl restart rke2-server

            1 to mend

            """);
    }

    [Fact]
    public async Task In_a_k3s_that_was_given_a_runtime()
    {
        HasOnly("/etc/rancher/k3s/config.yaml", $"container-runtime-endpoint: {Containerd}\n");
        await ShouldSayAndBeMended("""
            problem  kubelet: calls unix:///run/containerd/containerd.sock, not the shim (ROOT/etc/rancher/k3s/config.yaml:1)
                     - write as line 1 of ROOT/etc/rancher/k3s/config.yaml:
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
                     - when it is installed, run: image-cri-shim install

            nothing to mend, 1 warning

            """);
    }

    private void HasOnly(string file, string text)
    {
        Directory.Delete(Node.FileOf("/var/lib/kubelet"), recursive: true);
        Node.WriteFile(file, text);
    }
}
