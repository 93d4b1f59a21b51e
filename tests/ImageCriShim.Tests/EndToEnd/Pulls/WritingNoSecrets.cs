using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Pulls;

[Collection<RealNodeTests>]
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class WritingNoSecrets(RealNode node)
{
    [Theory, ClassData<ContainerdVersions>]
    public async Task No_password_is_in_a_log_an_error_or_the_state_directory(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private, takesPodSecrets: true); // an image names it
        await using var mirror = node.OpenDoor(node.Another);
        await using var shim = await node.StartShim(containerd, $$"""
            address: {{offline.Address}}
            auth: {{offline.Auth}}
            debug: true
            registries:
            - { address: "{{mirror.Address}}", auth: "{{mirror.Auth}}" }
            - { address: "{{node.Tls.Address}}", auth: "{{node.Tls.Auth}}", tls: { ca: "{{node.TlsAuthority}}" } }
            - { address: "http://localhost:{{node.Private.Port}}", auth: "admin:{{Secrets.Wrong}}" }
            """);
        var secret = new PodSecret("pod", Secrets.OfPod, offline.Address);
        var (here, there, broken) = (node.NewName(), node.NewName(), node.NewName());
        await node.Private.Push(here);
        await node.Tls.Push(there);
        await node.Private.Push(broken);

        var told = new List<PullAnswer> { await shim.Caller.Pull(here, secret), await shim.Caller.Pull(there, secret) };
        told.ForEach(answer => answer.ShouldBeOk());
        offline.Behave = request => request.IsFromRuntime ? DoorAnswer.Challenge : DoorAnswer.PassOn; // whoever it is
        told.Add(await shim.Caller.Pull(broken, secret));
        told.Add(await shim.Caller.Pull(node.NewName(), secret));
        told.Add(await shim.Caller.Pull($"{offline.Host}/{broken}", secret));
        offline.Behave = request => !request.IsFromRuntime ? DoorAnswer.PassOn : request.Account is null ? DoorAnswer.Challenge : DoorAnswer.Repeat(request);
        told.Add(await shim.Caller.Pull(broken));
        told.Add(await shim.Caller.Pull($"{offline.Host}/{broken}", secret));
        offline.Behave = request => request.IsFromRuntime ? DoorAnswer.SendAway(Secrets.OfUrl) : DoorAnswer.PassOn;
        told.Add(await shim.Caller.Pull(broken));
        told.Add(await shim.Caller.Pull($"{offline.Host}/{broken}", secret));
        await mirror.Shut();
        told.Add(await shim.Caller.Pull(node.NewName(), secret));
        told.Skip(2).ShouldAllBe(answer => answer.Code != GrpcCode.Ok);

        told.ForEach(answer => Secrets.ShouldNotBeIn(answer.Message));
        told.ShouldContain(answer => answer.Message.Contains("http://127.0.0.1:1/blob"), "the runtime tells the address, so it would the signature");
        offline.Requests.ShouldContain(request => request.Account == $"pod:{Secrets.OfPod}");
        await shim.Process.StopAsync();
        Secrets.ShouldNotBeIn(shim.Process.Output);
        var state = Directory.GetFiles(shim.StateDirectory, "*", SearchOption.AllDirectories);
        state.ShouldNotBeEmpty();
        foreach (var file in state)
            Secrets.ShouldNotBeIn(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
    }
}
