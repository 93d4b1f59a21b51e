using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Pulls;

/// <summary>A registry that verifies signed tokens: the shim has its own from the token server, the runtime its own.</summary>
[Collection<RealNodeTests>]
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class PullingWithTokens : IAsyncLifetime
{
    private readonly RealNode node;
    private readonly TempDirectory files = new();
    private readonly FakeAuthority authority = new();
    private readonly FakeTokenServer tokens = FakeTokenServer.Start();
    private readonly JwtSigner signer;
    private LabRegistry registry = null!;

    public PullingWithTokens(RealNode node)
    {
        this.node = node;
        signer = new JwtSigner(authority);
        tokens.Sign = signer.Sign;
        tokens.Account = ("admin", Secrets.OfTokens);
    }

    public async ValueTask InitializeAsync()
    {
        File.WriteAllText(files.File("signers.pem"), authority.Pem);
        registry = await node.StartTokenRegistry("admin:" + Secrets.OfTokens, new TokenGuard(tokens.Realm, files.File("signers.pem"), signer.Sign));
    }

    public async ValueTask DisposeAsync()
    {
        await tokens.DisposeAsync();
        signer.Dispose();
        authority.Dispose();
        files.Dispose();
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task The_account_of_the_registry_opens_it_for_shim_and_runtime(string containerd)
    {
        await using var door = node.OpenDoor(registry);
        await using var shim = await node.StartShim(containerd, $"address: {door.Address}\nauth: {door.Auth}");
        var name = node.NewName();
        var image = await registry.Push(name);

        var pulled = await shim.Caller.Pull(name);

        pulled.ShouldBeOk();
        pulled.ImageRef.ShouldBe(image.Id);
        door.HasServed.ShouldBeTrue();
        tokens.Requests.Select(request => request.Headers["User-Agent"].Split('/')[0]).Distinct().ShouldBe(["image-cri-shim", "containerd"], ignoreOrder: true);
        Secrets.ShouldNotBeIn(shim.Process.Output);
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task A_wrong_password_is_told_with_the_token_servers_name(string containerd)
    {
        await using var door = node.OpenDoor(registry);
        await using var shim = await node.StartShim(containerd, $"address: {door.Address}\nauth: admin:{Secrets.Wrong}\nofflineOnly: true");
        var name = node.NewName();
        await registry.Push(name);

        var pulled = await shim.Caller.Pull(name);

        pulled.Code.ShouldBe(GrpcCode.NotFound);
        pulled.Message.ShouldContain($"denied (its token server {tokens.Host} says HTTP 401 (UNAUTHORIZED: who are you?) for user admin)");
        Secrets.ShouldNotBeIn(pulled.Message);
        Secrets.ShouldNotBeIn(shim.Process.Output);
    }
}
