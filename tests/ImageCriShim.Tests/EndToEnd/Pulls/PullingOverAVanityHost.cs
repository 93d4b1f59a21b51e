using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Pulls;

/// <summary>
/// A host of one's own name in front of a public registry: it redirects every request there, and that registry has a challenge of its own,
/// with tokens for everybody.
/// </summary>
[Collection<RealNodeTests>]
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class PullingOverAVanityHost(RealNode node)
{
    [Theory, ClassData<ContainerdVersions>]
    public async Task An_image_comes_from_there_and_no_credential_goes_there(string containerd)
    {
        await using var tokens = FakeTokenServer.Start();
        await using var real = node.OpenDoor(node.Open);
        real.Behave = request => tokens.Guard(request.Path, request.Account) is { } refusal
            ? new DoorAnswer(refusal.Status, $"WWW-Authenticate: {refusal.Challenges[0]}\r\n")
            : DoorAnswer.PassOn;
        await using var vanity = node.OpenDoor(node.Private); // its credential is for itself; real does not take it
        vanity.Behave = request => new DoorAnswer(307, $"Location: {real.Address}{request.Path}\r\n");
        await using var shim = await node.StartShim(containerd, $"address: {vanity.Address}\nauth: {vanity.Auth}\nofflineOnly: true");
        var name = node.NewName();
        var image = await node.Open.Push(name);

        var pulled = await shim.Caller.Pull(name);

        pulled.ShouldBeOk();
        pulled.ImageRef.ShouldBe(image.Id);
        real.HasServed.ShouldBeTrue();
        tokens.Requests.Where(request => request.Headers["User-Agent"].StartsWith("image-cri-shim/", StringComparison.Ordinal))
            .ShouldHaveSingleItem().Authorization.ShouldBeNull();
        await using var runtime = await node.ConnectTo(containerd);
        (await runtime.Pull($"{vanity.Host}/{name}")).ShouldBeOk(); // the yardstick: the runtime follows there as well
        Secrets.ShouldNotBeIn(shim.Process.Output);
    }
}
