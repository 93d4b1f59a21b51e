using ImageCriShim.Configuration;
using ImageCriShim.Inspection;
using ImageCriShim.Installation;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Node;

/// <summary>What a real docker says of itself.</summary>
[Trait("suite", "node")]
public sealed class CheckingARealDocker(RealDocker docker) : IClassFixture<RealDocker>
{
    [Fact]
    public async Task It_knows_itself_which_registries_need_no_TLS()
    {
        var (told, strange) = (RealDocker.ByAddress(docker.Told), RealDocker.ByAddress(docker.Strange));
        var socket = docker.FindSocket();
        using var directory = new TempDirectory();
        Directory.CreateDirectory(directory.File("root/var/run"));
        File.CreateSymbolicLink(directory.File("root/var/run/docker.sock"), docker.DockerSocket);
        var path = directory.File("image-cri-shim.yaml");
        File.WriteAllText(path, $"shim: {directory.File("shim.sock")}\ncri: {socket}\nprobeTimeout: 20s\naddress: http://{told}\nregistries: [{{address: \"http://{strange}\"}}]\n");
        var origins = new Origins();
        var config = ConfigFile.Load(path, origins);
        config.Problems.ShouldBeEmpty();
        var node = new NodeInspection(path, config, origins, new NodeRoot(new NodeFiles(directory.File("root"))), TimeProvider.System, _ => null);

        var findings = await node.Look(TestContext.Current.CancellationToken);

        Text(findings, "runtime").ShouldStartWith($"Ok {socket} is docker {docker.Version}");
        Text(findings, "docker").ShouldMatch($"^Ok .*/docker.sock is docker {docker.Version}.* with its own image store \\((overlay2|vfs)\\); insecure registries: .*{told}.*; mirrors of Docker Hub: none$");
        Text(findings, $"docker and {told}").ShouldBe("Ok is set up for plain http");
        Text(findings, $"docker and {strange}").ShouldBe("Problem is not set up for plain http, so pulls from there fail");
    }

    private static string Text(IEnumerable<Finding> findings, string what)
    {
        var finding = findings.Single(finding => finding.What == what);
        return $"{finding.State} {finding.Text}";
    }
}
