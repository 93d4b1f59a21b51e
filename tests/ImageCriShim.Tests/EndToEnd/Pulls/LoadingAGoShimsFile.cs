using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Pulls;

[Collection<RealNodeTests>]
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class LoadingAGoShimsFile(RealNode node)
{
    [Theory, ClassData<ContainerdVersions>]
    public async Task It_serves_with_the_file_unchanged(string containerd)
    {
        await using var hub = node.OpenDoor(node.Private);
        await using var backup = node.OpenDoor(node.Another);
        await using var open = node.OpenDoor(node.Open);
        // What the Go shim's documentation shows; shim, cri and image are in every test's file.
        await using var shim = await node.StartShim(containerd, $"""
            address: {hub.Address}
            force: true
            debug: false
            timeout: 15m
            reloadInterval: 30s
            auth: {hub.Auth}
            version: v1
            sync: 10
            offlinePriority: 1000
            registries:
            - address: {backup.Address}
              auth: {backup.Auth}
            - address: {open.Address}
              auth: ""
              priority: 100
            cache:
              imageCacheSize: 1024
              imageCacheTTL: 30m
              domainCacheTTL: 10m
              statsLogInterval: 60s
              disableStats: false
            """);

        foreach (var registry in new[] { node.Private, node.Another, node.Open })
        {
            var name = node.NewName();
            var image = await registry.Push(name);

            var pulled = await shim.Caller.Pull(name);

            pulled.ShouldBeOk();
            pulled.ImageRef.ShouldBe(image.Id);
        }

        shim.Process.ShouldSay($"hub-address: {hub.Address}");
        shim.Process.ShouldSay("Auth: admin:***");
    }
}
