using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Pulls;

/// <summary>
/// One host whose repositories want tokens of different servers, as Nexus' and Artifactory's path routing do: a real registry that verifies
/// tokens, behind a gateway that names another realm for each proxy repository.
/// </summary>
[Collection<RealNodeTests>]
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class PullingFromOneHostWithTwoRealms : IAsyncLifetime
{
    private const string Hub = "docker-hub-proxy";
    private const string Quay = "quay-proxy";

    private readonly RealNode node;
    private readonly TempDirectory files = new();
    private readonly FakeAuthority authority = new();
    private readonly FakeTokenServer ofHub = FakeTokenServer.Start();
    private readonly FakeTokenServer ofQuay = FakeTokenServer.Start();
    private readonly JwtSigner signer;
    private LabRegistry registry = null!;
    private Door gateway = null!;

    public PullingFromOneHostWithTwoRealms(RealNode node)
    {
        this.node = node;
        signer = new JwtSigner(authority);
        foreach (var tokens in new[] { ofHub, ofQuay })
            (tokens.Sign, tokens.Account) = (signer.Sign, ("admin", Secrets.OfTokens));
    }

    public async ValueTask InitializeAsync()
    {
        File.WriteAllText(files.File("signers.pem"), authority.Pem);
        registry = await node.StartTokenRegistry("admin:" + Secrets.OfTokens, new TokenGuard(ofHub.Realm, files.File("signers.pem"), signer.Sign));
        gateway = node.OpenDoor(registry);
        gateway.Behave = request => (request.Path.StartsWith($"/v2/{Hub}/", StringComparison.Ordinal) ? ofHub : ofQuay).Guard(request.Path, request.Account) is { } refusal
            ? new DoorAnswer(refusal.Status, $"WWW-Authenticate: {refusal.Challenges[0]}\r\n")
            : DoorAnswer.PassOn;
    }

    public async ValueTask DisposeAsync()
    {
        await gateway.DisposeAsync();
        await ofHub.DisposeAsync();
        await ofQuay.DisposeAsync();
        signer.Dispose();
        authority.Dispose();
        files.Dispose();
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task Images_of_both_come_each_by_tokens_of_its_own_realm_and_alternating_costs_one_request_each(string containerd)
    {
        await using var empty = node.OpenDoor(node.Open);
        await using var shim = await node.StartShim(
            containerd,
            $$"""
            address: {{empty.Address}}
            offlineOnly: true
            cache: { imageCacheTTL: 1ms, missTTL: 30m }
            registries:
            - { address: "{{gateway.Address}}/{{Hub}}", auth: "{{gateway.Auth}}", images: [docker.io] }
            - { address: "{{gateway.Address}}/{{Quay}}", auth: "{{gateway.Auth}}", images: [quay.io] }
            """);
        var (ofHubName, ofQuayName) = (node.NewName(), node.NewName());
        var (hubImage, quayImage) = (await registry.Push($"{Hub}/{ofHubName}"), await registry.Push($"{Quay}/{ofQuayName}"));

        (await PullId(shim, ofHubName)).ShouldBe(hubImage.Id);
        (await PullId(shim, $"quay.io/{ofQuayName}")).ShouldBe(quayImage.Id);

        var before = gateway.Probes.Count();
        foreach (var name in new[] { ofHubName, $"quay.io/{ofQuayName}", ofHubName, $"quay.io/{ofQuayName}" })
            (await shim.Caller.Pull(name)).ShouldBeOk();
        gateway.Probes.Count().ShouldBe(before + 4);
        Secrets.ShouldNotBeIn(shim.Process.Output);
    }

    private static async Task<string> PullId(ShimOnNode shim, string image)
    {
        var pulled = await shim.Caller.Pull(image);
        pulled.ShouldBeOk();
        return pulled.ImageRef;
    }
}
