using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Pulls;

[Collection<RealNodeTests>]
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class PullingWhenTheRuntimeFails(RealNode node)
{
    [Theory, ClassData<ContainerdVersions>]
    public async Task The_next_registry_is_tried_if_a_blob_is_refused(string containerd) =>
        await TheNextOneShouldServe(containerd, request => request.IsBlob ? DoorAnswer.Refuse(403) : DoorAnswer.PassOn);

    [Theory, ClassData<ContainerdVersions>]
    public async Task The_next_registry_is_tried_if_a_blob_is_missing(string containerd) =>
        await TheNextOneShouldServe(containerd, request => request.IsBlob ? DoorAnswer.Refuse(404) : DoorAnswer.PassOn);

    [Theory, ClassData<ContainerdVersions>]
    public async Task The_next_registry_is_tried_if_only_the_runtime_is_denied_the_manifest(string containerd) =>
        await TheNextOneShouldServe(containerd, request => request.IsFromRuntime ? DoorAnswer.Refuse(401) : DoorAnswer.PassOn);

    [Theory, ClassData<ContainerdVersions>]
    public async Task The_next_registry_is_tried_if_an_index_lacks_this_platform(string containerd) =>
        await TheNextOneShouldServe(containerd, _ => DoorAnswer.PassOn, TestImage.MakeIndex("arm64", "s390x"));

    [Theory, ClassData<ContainerdVersions>]
    public async Task If_all_fail_one_error_tells_of_every_attempt(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var mirror = node.OpenDoor(node.Another);
        offline.Behave = request => request.IsBlob ? DoorAnswer.Refuse(403) : DoorAnswer.PassOn;
        mirror.Behave = request => request.IsFromRuntime ? DoorAnswer.Refuse(404) : DoorAnswer.PassOn;
        await using var shim = await StartShim(containerd, offline, mirror);
        var name = node.NewName();
        await node.Private.Push(name);
        await node.Another.Push(name);

        var pulled = await shim.Caller.Pull(name);

        pulled.Code.ShouldBe(GrpcCode.Unknown); // containerd's for the refused blob, which is the furthest that anybody got
        pulled.Message.ShouldStartWith($"image {name} could not be pulled: ");
        pulled.Message.ShouldContain($"{offline.Host}/{name}: ");
        pulled.Message.ShouldContain("403");
        pulled.Message.ShouldContain($"{mirror.Host}/{name}: ");
        pulled.Message.ShouldContain($"{name} (as given): ");
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task A_decision_that_was_right_once_is_made_anew(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var mirror = node.OpenDoor(node.Another);
        await using var shim = await StartShim(containerd, offline, mirror);
        var name = node.NewName();
        await node.Private.Push(name);
        (await shim.Caller.Pull(name)).ShouldBeOk();
        await offline.Shut();
        var image = await node.Another.Push(name); // where it was not when it was asked for

        var pulled = await shim.Caller.Pull(name);

        pulled.ShouldBeOk();
        pulled.ImageRef.ShouldBe(image.Id);
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task An_image_that_was_nowhere_a_moment_ago_is_found_when_it_is_there(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var mirror = node.OpenDoor(node.Another);
        await using var shim = await StartShim(containerd, offline, mirror);
        var name = node.NewName();
        (await shim.Caller.Pull(name)).Code.ShouldBe(GrpcCode.NotFound);
        var image = await node.Private.Push(name);

        var pulled = await shim.Caller.Pull(name);

        pulled.ShouldBeOk();
        pulled.ImageRef.ShouldBe(image.Id);
    }

    private async Task TheNextOneShouldServe(string containerd, Func<DoorRequest, DoorAnswer> behaviour, TestImage? unusable = null)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var mirror = node.OpenDoor(node.Another);
        offline.Behave = behaviour;
        await using var shim = await StartShim(containerd, offline, mirror);
        var name = node.NewName();
        await node.Private.Push(name, unusable);
        var image = await node.Another.Push(name);

        var pulled = await shim.Caller.Pull(name);

        pulled.ShouldBeOk();
        pulled.ImageRef.ShouldBe(image.Id);
        (await shim.Caller.FindId(name)).ShouldBe(image.Id);
        offline.Probes.ShouldNotBeEmpty();
    }

    private Task<ShimOnNode> StartShim(string containerd, Door offline, Door mirror) => node.StartShim(containerd, $$"""
        address: {{offline.Address}}
        auth: {{offline.Auth}}
        registries:
        - { address: "{{mirror.Address}}", auth: "{{mirror.Auth}}" }
        """);
}
