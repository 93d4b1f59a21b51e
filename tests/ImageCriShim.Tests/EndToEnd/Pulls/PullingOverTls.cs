using System.Text;
using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Pulls;

[Collection<RealNodeTests>]
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class PullingOverTls(RealNode node)
{
    [Theory, ClassData<ContainerdVersions>]
    public async Task Nobody_on_the_way_can_read_a_secret(string containerd)
    {
        await using var offline = node.OpenTlsDoor();
        await using var shim = await node.StartShim(containerd, $$"""
            address: {{offline.Address}}
            auth: {{node.Tls.Auth}}
            tls: { ca: {{node.TlsAuthority}} }
            """);
        var name = node.NewName();
        var image = await node.Tls.Push(name);

        (await shim.Caller.Pull(name, new PodSecret("pod", Secrets.OfPod))).ImageRef.ShouldBe(image.Id);
        await shim.Caller.Pull($"{offline.Host}/{node.NewName()}", new PodSecret("pod", Secrets.OfPod));

        offline.Connections.Count.ShouldBeGreaterThan(1); // the shim's and the runtime's
        offline.Connections.ShouldAllBe(connection => TlsDoor.IsHandshake(connection));
        foreach (var connection in offline.Connections)
            Secrets.ShouldNotBeIn(Encoding.Latin1.GetString(connection));
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task A_registry_that_should_speak_TLS_and_does_not_gets_no_request(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var shim = await node.StartShim(containerd, $"address: https://{offline.Host}\nauth: {offline.Auth}\nofflineOnly: true");
        var name = node.NewName();
        await node.Private.Push(name);

        var pulled = await shim.Caller.Pull(name);

        pulled.Message.ShouldStartWith("RegistryUnavailable: ");
        offline.Connections.ShouldBeGreaterThan(0);
        offline.Requests.ShouldBeEmpty();
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task A_private_authority_is_believed_where_the_settings_name_it(string containerd)
    {
        await using var shim = await node.StartShim(containerd, $$"""
            address: {{node.Tls.Address}}
            auth: {{node.Tls.Auth}}
            tls: { ca: {{node.TlsAuthority}} }
            """);
        var name = node.NewName();
        var image = await node.Tls.Push(name);

        var pulled = await shim.Caller.Pull(name);

        pulled.ShouldBeOk();
        pulled.ImageRef.ShouldBe(image.Id);
        (await shim.Caller.FindId(name)).ShouldBe(image.Id);
        await using var direct = await node.ConnectTo(containerd);
        (await direct.FindId($"{node.Tls.Host}/{name}")).ShouldBe(image.Id);
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task An_unknown_authority_is_named_as_the_reason(string containerd)
    {
        await using var shim = await node.StartShim(containerd, $"address: {node.Tls.Address}\nauth: {node.Tls.Auth}");
        var name = node.NewName();
        await node.Tls.Push(name);

        var pulled = await shim.Caller.Pull(name);

        pulled.Code.ShouldBe(GrpcCode.Unknown); // kubelet knows the prefix only with this code
        pulled.Message.ShouldStartWith("RegistryUnavailable: ");
        pulled.Message.ShouldContain($"{node.Tls.Host}/{name} unreachable (its TLS certificate is signed by an unknown authority");
    }
}
