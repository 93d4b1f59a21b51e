using System.Diagnostics;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Pulls;

/// <summary>
/// The static pods of a control plane that is cut off from the world: the node comes up again, and nobody is there to ask. Whatever the
/// pull policy, their images are.
/// </summary>
[Collection<RealNodeTests>]
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class RestartingWithoutAnyRegistry(RealNode node)
{
    [Theory, ClassData<ContainerdVersions>]
    public async Task Every_image_that_was_pulled_before_comes_back(string containerd)
    {
        using var files = new TempDirectory();
        await using var offline = node.OpenDoor(node.Private);
        await using var mirror = node.OpenDoor(node.Another);
        await using var origin = node.OpenDoor(node.OriginRegistry);
        var settings = $$"""
            address: {{offline.Address}}
            auth: {{offline.Auth}}
            registries:
            - { address: "{{mirror.Address}}", auth: "{{mirror.Auth}}" }
            """;
        var images = await PushImages(origin.Host);
        await using (var before = await node.StartShimOn(files.File("state"), containerd, settings))
            foreach (var (name, image) in images)
                (await before.Caller.Pull(name)).ImageRef.ShouldBe(image.Id);
        await Task.WhenAll(offline.Shut(), mirror.Shut(), origin.Shut());
        await node.RestartContainerd(containerd);

        await using var after = await node.StartShimOn(files.File("state"), containerd, settings);

        foreach (var (name, image) in images)
        {
            var begin = Stopwatch.GetTimestamp();
            (await after.Caller.FindId(name)).ShouldBe(image.Id);
            var found = Stopwatch.GetElapsedTime(begin);
            var pulled = await after.Caller.Pull(name);
            pulled.ShouldBeOk();
            pulled.ImageRef.ShouldBe(image.Id);
            TestContext.Current.TestOutputHelper?.WriteLine($"{name}: found in {found.TotalMilliseconds:0} ms, pulled in {(Stopwatch.GetElapsedTime(begin) - found).TotalMilliseconds:0} ms");
        }
    }

    /// <summary>One for each way that an image comes by.</summary>
    private async Task<List<(string Name, TestImage Image)>> PushImages(string origin)
    {
        var (first, second, pinned, given) = (node.NewName(), node.NewName(), node.NewName(), node.NewName());
        var pinnedImage = await node.Private.Push(pinned);
        return
        [
            ($"{origin}/{first}", await node.Private.Push(first)),
            ($"{origin}/{second}", await node.Another.Push(second)),
            ($"{origin}/{pinned}@{pinnedImage.Digest}", pinnedImage),
            ($"{origin}/{given}", await node.OriginRegistry.Push(given)),
        ];
    }
}
