using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.Kubelet;

[Collection<ClusterTests>]
[Trait("suite", "kubelet")]
public sealed class RunningStaticPods(Cluster cluster)
{
    [Theory, ClassData<KubeletContainerds>]
    public Task An_image_named_as_on_Docker_Hub_is_run_from_a_registry_with_a_password(string containerd) =>
        RunsAndServes(containerd, "nginx:1.25", "library/nginx:1.25");

    [Theory, ClassData<KubeletContainerds>]
    public Task So_is_one_of_another_registry(string containerd) =>
        RunsAndServes(containerd, "registry.k8s.io/coredns/coredns:v1.11.1", "coredns/coredns:v1.11.1");

    [Theory, ClassData<KubeletContainerds>]
    public async Task So_is_one_by_digest(string containerd)
    {
        var (repository, image) = (cluster.NewName(), TestImage.MakeServing("by digest"));

        await RunsAndServes(containerd, $"quay.io/{repository.Split(':')[0]}@{image.Digest}", repository, image, "by digest");
    }

    private async Task RunsAndServes(string containerd, string given, string pushed, TestImage? image = null, string page = "by name")
    {
        await using var offline = cluster.OpenDoor(cluster.Private);
        image = await cluster.Private.Push(pushed, image ?? TestImage.MakeServing(page));
        var node = cluster.NodeOn(containerd);
        await node.Configure(offline.Address, $"auth: {offline.Auth}\nofflineOnly: true");

        await using var pod = node.RunStatic(given);

        (await pod.Page()).ShouldBe(page);
        var container = await pod.Now();
        container.Restarts.ShouldBe(0);
        container.ImageId.ShouldEndWith($"@{image.Digest}");
        container.Image.ShouldNotContain(offline.Host);
        offline.HasServed.ShouldBeTrue();
    }
}
