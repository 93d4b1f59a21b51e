using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Pulls;

[Collection<RealNodeTests>]
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class KeepingPodSecretsApart(RealNode node)
{
    [Theory, ClassData<ContainerdVersions>]
    public async Task A_registry_that_the_node_is_configured_for_never_sees_a_pods_secret(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var open = node.OpenDoor(node.Open);
        await using var shim = await node.StartShim(containerd, $$"""
            address: {{offline.Address}}
            auth: {{offline.Auth}}
            registries:
            - { address: "{{open.Address}}" }
            """);
        var (byPassword, byNobody, missing) = (node.NewName(), node.NewName(), node.NewName());
        await node.Private.Push(byPassword);
        await node.Open.Push(byNobody);

        (await shim.Caller.Pull(byPassword, new PodSecret("pod", Secrets.OfPod, offline.Address))).ShouldBeOk();
        (await shim.Caller.Pull(byNobody, new PodSecret("pod", Secrets.OfPod))).ShouldBeOk();
        (await shim.Caller.Pull(missing, new PodSecret("pod", Secrets.OfPod))).Code.ShouldBe(GrpcCode.NotFound);

        offline.Requests.Select(request => request.Account).Distinct().ShouldBe([null, offline.Auth], ignoreOrder: true); // null: asked before it was told to
        open.Requests.Select(request => request.Account).Distinct().ShouldBe([null]);
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task Nor_does_one_that_lets_the_shim_in_and_asks_the_runtime_for_a_password(string containerd)
    {
        await using var asking = node.OpenDoor(node.Open);
        asking.Behave = request => request.IsFromRuntime && request.Account is null ? DoorAnswer.Challenge : DoorAnswer.PassOn;
        await using var shim = await node.StartShim(containerd, $"address: {asking.Address}");
        var name = node.NewName();
        await node.Open.Push(name);

        foreach (var server in new[] { null, asking.Address })
            (await shim.Caller.Pull(name, new PodSecret("pod", Secrets.OfPod, server))).Code.ShouldNotBe(GrpcCode.Ok);

        asking.Requests.ShouldContain(request => request.IsFromRuntime);
        asking.Requests.ShouldAllBe(request => request.Account == null);
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task It_goes_with_the_name_as_given_to_the_host_of_that_name(string containerd)
    {
        await using var offline = node.OpenDoor(node.Open);
        await using var theirs = node.OpenDoor(node.Private);
        await using var shim = await node.StartShim(containerd, $"address: {offline.Address}");
        var password = theirs.Auth!.Split(':')[1];

        // kubelet has had all of these as server_address; containerd drops a credential whose address is not spelled as the image's host.
        foreach (var server in new[] { null, theirs.Host, theirs.Host.ToUpperInvariant(), theirs.Address, $"{theirs.Address}/v1/" })
        {
            var name = node.NewName();
            var image = await node.Private.Push(name);

            var pulled = await shim.Caller.Pull($"{theirs.Host}/{name}", new PodSecret("admin", password, server));

            pulled.ShouldBeOk();
            pulled.ImageRef.ShouldBe(image.Id);
        }

        offline.Requests.ShouldAllBe(request => request.Account == null);
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task One_that_says_it_is_for_another_host_is_not_made_one_for_this_host(string containerd)
    {
        await using var offline = node.OpenDoor(node.Open);
        await using var theirs = node.OpenDoor(node.Private);
        await using var shim = await node.StartShim(containerd, $"address: {offline.Address}");

        foreach (var server in new[] { "https://index.docker.io/v1/", "elsewhere.test", "https://elsewhere.test:5000" })
        {
            var name = node.NewName();
            await node.Private.Push(name);

            (await shim.Caller.Pull($"{theirs.Host}/{name}", new PodSecret("pod", Secrets.OfPod, server))).Code.ShouldNotBe(GrpcCode.Ok);
        }

        theirs.Requests.ShouldNotBeEmpty();
        theirs.Requests.ShouldAllBe(request => request.Account == null);
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task A_pods_secret_goes_before_the_nodes_own_where_the_image_names_the_registry_itself(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private, takesPodSecrets: true);
        await using var shim = await node.StartShim(containerd, $"address: {offline.Address}\nauth: {offline.Auth}");
        var name = node.NewName();
        await node.Private.Push(name);

        await shim.Caller.Pull($"{offline.Host}/{name}", new PodSecret("pod", Secrets.OfPod));

        offline.Requests.Where(request => request.IsFromRuntime).ShouldContain(request => request.Account == $"pod:{Secrets.OfPod}");
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task With_forwardPullSecrets_it_goes_to_that_registry_and_to_no_other(string containerd)
    {
        await using var offline = node.OpenDoor(node.Another);
        await using var theirs = node.OpenDoor(node.Private, takesPodSecrets: true);
        await using var shim = await node.StartShim(containerd, $$"""
            address: {{offline.Address}}
            auth: {{offline.Auth}}
            offlineOnly: true
            registries:
            - { address: "{{theirs.Address}}", forwardPullSecrets: true }
            """);
        var name = node.NewName();
        var image = await node.Private.Push(name);

        var pulls = new List<PullAnswer>(); // as kubelet does: one call for each secret that a pod has, until one works
        foreach (var password in new[] { Secrets.OfPod, Secrets.OfPrivate })
            pulls.Add(await shim.Caller.Pull(name, new PodSecret("admin", password, "https://index.docker.io/v1/")));

        pulls[0].Code.ShouldNotBe(GrpcCode.Ok);
        pulls[1].ShouldBeOk();
        pulls[1].ImageRef.ShouldBe(image.Id);
        (await shim.Caller.Pull(name)).Code.ShouldNotBe(GrpcCode.Ok); // who has no secret gets nothing
        theirs.Requests.Where(request => request.IsBlob).ShouldAllBe(request => request.Account == theirs.Auth);
        theirs.Requests.ShouldContain(request => request.Account == $"admin:{Secrets.OfPod}");
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task Without_a_secret_the_registrys_own_credential_goes_with_the_name_as_given(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var shim = await node.StartShim(containerd, $"address: {offline.Address}\nauth: {offline.Auth}");
        var name = node.NewName();
        var image = await node.Private.Push(name);

        var pulled = await shim.Caller.Pull($"{offline.Host}/{name}");

        pulled.ShouldBeOk();
        pulled.ImageRef.ShouldBe(image.Id);
    }
}
