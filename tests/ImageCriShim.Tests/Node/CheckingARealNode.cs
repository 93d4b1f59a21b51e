using ImageCriShim.Configuration;
using ImageCriShim.Inspection;
using ImageCriShim.Installation;

namespace ImageCriShim.Tests.Node;

/// <summary>What a real containerd is set up for, and what a real registry says to a right and to a wrong password.</summary>
[Collection<RealNodeTests>]
[Trait("suite", "node")]
public sealed class CheckingARealNode(RealNode node)
{
    [Theory]
    [InlineData("1.7")]
    [InlineData("2")]
    public async Task All_is_well_with_runtime_registry_and_pause_image(string containerd)
    {
        await using var hub = node.OpenDoor(node.Private);

        var findings = await Look(containerd, $"address: {hub.Address}\nauth: {node.Private.Auth}\n");

        Text(findings, $"registry {hub.Address}").ShouldBe("Ok answers, and takes admin:*** (auth)");
        Text(findings, $"containerd and {hub.Host}").ShouldBe("Ok is set up for plain http");
        Text(findings, "runtime").ShouldStartWith($"Ok {node.SocketOf(containerd)} is containerd {containerd}");
        Text(findings, "pause image").ShouldMatch($"^Ok {node.OriginRegistry.Host}/lab/pause:1 is (on the node|not on the node, but its registry has it)$");
        Text(findings, "clock").ShouldBe("Ok is that of the registries");
    }

    [Theory]
    [InlineData("1.7")]
    [InlineData("2")]
    public async Task A_wrong_password_and_a_registry_that_it_was_told_wrong_things_of(string containerd)
    {
        var untold = $"untold-{containerd}.invalid:5000";
        var hosts = $"{Path.GetDirectoryName(node.SocketOf(containerd))}/certs.d/{untold}/hosts.toml";
        Directory.CreateDirectory(Path.GetDirectoryName(hosts)!);
        File.WriteAllText(hosts, $"server = \"https://{untold}\"\n");

        var findings = await Look(containerd, $$"""
            address: http://127.0.0.1:{{node.Private.Port}}
            auth: admin:{{Secrets.Wrong}}
            registries:
            - address: http://{{untold}}
            - address: {{node.Tls.Address}}
              auth: {{node.Tls.Auth}}
              tls: {ca: {{node.TlsAuthority}}}

            """);

        Text(findings, $"registry {node.Private.Address}").ShouldBe("Problem does not take admin:*** (auth): HTTP 401 for user admin; user or password is wrong");
        Text(findings, $"registry {node.Tls.Address}").ShouldBe("Ok answers, and takes admin:*** (auth)");
        Text(findings, $"containerd and {node.Tls.Host}").ShouldBe("Ok is set up for a private authority");
        var told = findings.Single(finding => finding.What == $"containerd and {untold}");
        told.State.ShouldBe(FindingState.Problem);
        told.Remedies.ShouldHaveSingleItem().File.ShouldBe(hosts);
        Secrets.ShouldNotBeIn(string.Join('\n', findings));
    }

    private async Task<IReadOnlyList<Finding>> Look(string containerd, string yaml)
    {
        using var directory = new Fakes.TempDirectory();
        var path = directory.File("image-cri-shim.yaml");
        File.WriteAllText(path, $"shim: {directory.File("shim.sock")}\ncri: {node.SocketOf(containerd)}\nprobeTimeout: 20s\n{yaml}");
        var origins = new Origins();
        var config = ConfigFile.Load(path, origins);
        config.Problems.ShouldBeEmpty();
        return await new NodeInspection(path, config, origins, new NodeRoot(new NodeFiles("/")), TimeProvider.System, _ => null).Look(TestContext.Current.CancellationToken);
    }

    private static string Text(IEnumerable<Finding> findings, string what)
    {
        var finding = findings.Single(finding => finding.What == what);
        return $"{finding.State} {finding.Text}";
    }
}
