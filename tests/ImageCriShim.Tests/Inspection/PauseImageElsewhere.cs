namespace ImageCriShim.Tests.Inspection;

public sealed class PauseImageElsewhere : NodeTest
{
    public PauseImageElsewhere() => Node.Runtime.Images.Clear();

    [Fact]
    public async Task At_a_registry_that_cannot_be_reached()
    {
        Node.Hub.Add("pause", "3.9");
        await ShouldSayAndBeMended("""
            problem  pause image: registry.k8s.io/pause:3.9 is not on the node, and containerd pulls it by itself from registry.k8s.io: unreachable (the proxy says HTTP 502 (asked over the proxy PROXY))
                     - write as line 5 of ROOT/etc/containerd/config.toml:
                           sandbox = "hub.corp:5000/pause:3.9"
                     - run: systemctl restart containerd
                     - run: crictl pull hub.corp:5000/pause:3.9

            1 to mend

            """);
    }

    [Fact]
    public async Task And_at_no_other_either()
    {
        (await Node.Complaints()).ShouldBe("""
            problem  pause image: registry.k8s.io/pause:3.9 is not on the node, and containerd pulls it by itself from registry.k8s.io: unreachable (the proxy says HTTP 502 (asked over the proxy PROXY))
                     - run: skopeo copy --all docker://registry.k8s.io/pause:3.9 docker://hub.corp:5000/pause:3.9
                     - write as line 5 of ROOT/etc/containerd/config.toml:
                           sandbox = "hub.corp:5000/pause:3.9"
                     - run: systemctl restart containerd
                     - run: crictl pull hub.corp:5000/pause:3.9

            1 to mend

            """);
    }

    [Fact]
    public async Task Which_an_older_containerd_has_in_another_place()
    {
        Node.Hub.Add("pause", "3.9");
        Node.SpeakAs("containerd", "1.7.24");
        Node.WriteFile("/etc/containerd/config.toml", $"""
            version = 2

            [plugins]
              [plugins.'io.containerd.grpc.v1.cri']
                sandbox_image = "{PreparedNode.Pause}" # as it came
                [plugins.'io.containerd.grpc.v1.cri'.registry]
                  config_path = "/etc/containerd/certs.d"

            """);
        await ShouldSayAndBeMended("""
            problem  pause image: registry.k8s.io/pause:3.9 is not on the node, and containerd pulls it by itself from registry.k8s.io: unreachable (the proxy says HTTP 502 (asked over the proxy PROXY))
                     - write as line 5 of ROOT/etc/containerd/config.toml:
                             sandbox_image = "hub.corp:5000/pause:3.9"
                     - run: systemctl restart containerd
                     - run: crictl pull hub.corp:5000/pause:3.9

            1 to mend

            """);
    }

    [Fact]
    public async Task Which_nobody_has_written_down()
    {
        Node.Hub.Add("pause", "3.10");
        File.Delete(Node.FileOf("/etc/containerd/config.toml"));
        Node.Configure($"address: {Node.Hub.Address}\n");
        (await Node.Complaints()).ShouldBe("""
            problem  pause image: registry.k8s.io/pause:3.10 is not on the node, and containerd pulls it by itself from registry.k8s.io: unreachable (the proxy says HTTP 502 (asked over the proxy PROXY))
                     - write ROOT/etc/containerd/config.toml:
                         version = 3

                         [plugins."io.containerd.cri.v1.images".pinned_images]
                           sandbox = "HUB/pause:3.10"
                     - run: systemctl restart containerd
                     - run: crictl pull HUB/pause:3.10

            1 to mend

            """);
        await Node.Mend();
        (await Node.Complaints()).ShouldBe(NothingToMend);
    }

    [Fact]
    public async Task Is_no_problem_where_the_runtime_can_pull_it()
    {
        Node.Hub.Add("pause", "3.9");
        Node.WriteFile("/etc/containerd/config.toml", PreparedNode.ContainerdConfig.Replace(PreparedNode.Pause, "hub.corp:5000/pause:3.9"));
        Node.Print(await Node.Look()).ShouldContain("ok       pause image: hub.corp:5000/pause:3.9 is not on the node, but its registry has it\n");
    }

    [Fact]
    public async Task Is_no_problem_where_the_runtime_has_been_told_of_a_mirror()
    {
        Node.Hub.Add("pause", "3.9");
        Node.WriteFile("/etc/containerd/certs.d/registry.k8s.io/hosts.toml", "server = \"https://registry.k8s.io\"\n[host.\"http://hub.corp:5000\"]\n  capabilities = [\"pull\", \"resolve\"]\n");
        (await Node.Complaints()).ShouldBe(NothingToMend);
    }

    [Fact]
    public async Task Behind_a_password_that_only_the_shim_has_is_pulled_through_it()
    {
        Node.Hub.Add("pause", "3.9");
        Node.Hub.Account = ("admin", PreparedNode.Password);
        Node.Configure($"address: http://{PreparedNode.HubName}\nauth: admin:{PreparedNode.Password}\n");
        Node.WriteFile("/etc/containerd/config.toml", PreparedNode.ContainerdConfig.Replace(PreparedNode.Pause, "hub.corp:5000/pause:3.9"));
        await ShouldSayAndBeMended("""
            problem  pause image: hub.corp:5000/pause:3.9 is not on the node, and containerd pulls it by itself from hub.corp:5000: denied (HTTP 401 for no user)
                     - run: crictl pull hub.corp:5000/pause:3.9

            1 to mend

            """);
    }
}
