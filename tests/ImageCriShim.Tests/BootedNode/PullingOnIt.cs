namespace ImageCriShim.Tests.BootedNode;

/// <summary>What it is all for: an image by its public name, from the node's registry, by the node's containerd.</summary>
[Collection<BootedNodeTests>]
public sealed class PullingOnIt(DebianNode node) : BootedTest(node)
{
    [Fact]
    public async Task A_public_name_is_pulled_from_the_registry_of_the_settings()
    {
        (await Pull("nginx:1.25")).ShouldBeOk();
        (await Call()).SelectMany(image => image.Tags).ShouldContain("docker.io/library/nginx:1.25");
        (await Node.Run("/opt/containerd-1.7/ctr -n k8s.io images ls -q")).ShouldContain("registry.corp:5000/library/nginx:1.25");
    }

    [Fact]
    public async Task A_pod_of_a_public_name_runs()
    {
        await using var kubelet = await Node.Connect();
        (await kubelet.Pull("nginx:1.25")).ShouldBeOk();
        var pod = await kubelet.RunPod("web");
        var container = await kubelet.CreateContainer(pod, "web", "nginx:1.25");
        await kubelet.StartContainer(container);
        (await kubelet.Exec(container, "cat", "/www/index.html")).ShouldBe("This is nginx.\n");
        await kubelet.StopPod(pod);
        await kubelet.RemovePod(pod);
    }

    [Fact]
    public async Task Kubelet_sees_it_under_its_public_name()
    {
        await Node.Write("/etc/kubelet-images", "nginx:1.25\n");
        (await Pull("nginx:1.25")).ShouldBeOk();
        await KubeletSays("image nginx:1.25 is there");
    }
}
