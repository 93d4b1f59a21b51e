using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Pulls;

/// <summary>A registry that is well and refuses one image, as Harbor does whose policy forbids its vulnerabilities.</summary>
[Collection<RealNodeTests>]
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class PullingWhatARegistryRefuses(RealNode node)
{
    private const string Words = """{"errors":[{"code":"PROJECTPOLICYVIOLATION","message":"current image with 7 vulnerabilities cannot be pulled"}]}""";

    [Theory, ClassData<ContainerdVersions>]
    public async Task Its_words_are_told_it_is_not_pulled_as_found_before_and_the_next_image_comes(string containerd)
    {
        await using var harbor = node.OpenDoor(node.Private);
        var (refused, next) = (node.NewName(), node.NewName());
        await node.Private.Push(refused);
        var image = await node.Private.Push(next);
        await using var shim = await node.StartShim(containerd, $"address: {harbor.Address}\nauth: {harbor.Auth}\nofflineOnly: true\ncache: {{ imageCacheTTL: 1ms }}");
        (await shim.Caller.Pull(refused)).ShouldBeOk();
        harbor.Behave = request => request.IsManifest && request.Path.Contains(refused[..refused.IndexOf(':')], StringComparison.Ordinal)
            ? DoorAnswer.Refuse(412) with { Header = "Content-Type: application/json\r\n", Body = Words }
            : DoorAnswer.PassOn;

        var pulled = await shim.Caller.Pull(refused);

        pulled.Message.ShouldContain(
            $"{harbor.Host}/{refused} denied (HTTP 412, PROJECTPOLICYVIOLATION: current image with 7 vulnerabilities cannot be pulled)");
        pulled.Message.ShouldNotStartWith("RegistryUnavailable");
        var asNext = await shim.Caller.Pull(next);
        asNext.ShouldBeOk();
        asNext.ImageRef.ShouldBe(image.Id);
        await using var runtime = await node.ConnectTo(containerd);
        (await runtime.Pull($"{harbor.Host}/{refused}")).Message.ShouldContain("412"); // the yardstick: it does not come to the runtime either
    }
}
