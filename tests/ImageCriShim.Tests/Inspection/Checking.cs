using System.Text.Json;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Hosting;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Inspection;

/// <summary><c>image-cri-shim check</c>, as an operator types it.</summary>
[Trait("suite", "endtoend")]
public sealed class Checking : DaemonTest
{
    private readonly FakeRegistry _hub = FakeRegistry.Start();

    public Checking() => AtEnd(_hub);

    [Fact]
    public async Task A_good_node_with_the_shim_at_work_ends_with_0()
    {
        await StartGoodNode();
        var (code, output) = await Check();
        AsPrinted(output).ShouldBe("""
            ok       settings: DIR/image-cri-shim.yaml can be used
            ok       secrets: are not for everybody to read
            ok       runtime: DIR/cri.sock is cri-o 1.31.0, which speaks CRI v1 and v1alpha2
            ok       shim: serves DIR/shim.sock; cri-o 1.31.0 answers through it
            ok       registry http://HUB: answers
            ok       cri-o and HUB: is set up for plain http
            ok       pause image: registry.k8s.io/pause:3.10 is on the node
            ok       kubelet: calls the shim (DIR/root/var/lib/kubelet/config.yaml:1)
            ok       crictl: calls the shim (DIR/root/etc/crictl.yaml)

            nothing to mend

            """);
        code.ShouldBe(0);
    }

    [Fact]
    public async Task Something_to_mend_ends_with_1_and_is_for_machines_too()
    {
        await StartGoodNode();
        File.Delete(Directory.File("root/etc/crictl.yaml"));
        var (code, output) = await Check("--output", "json");
        code.ShouldBe(1, output);
        using var json = JsonDocument.Parse(output);
        var crictl = json.RootElement.EnumerateArray().Single(finding => finding.GetProperty("state").GetString() != "ok");
        crictl.GetProperty("what").GetString().ShouldBe("crictl");
        var remedy = crictl.GetProperty("remedies").EnumerateArray().ShouldHaveSingleItem();
        remedy.GetProperty("kind").GetString().ShouldBe("write");
        remedy.GetProperty("file").GetString().ShouldBe(Directory.File("root/etc/crictl.yaml"));
        remedy.GetProperty("text").GetString().ShouldBe($"runtime-endpoint: unix://{ShimSocketPath}\nimage-endpoint: unix://{ShimSocketPath}");
    }

    [Fact]
    public async Task Settings_that_cannot_be_used_end_with_2()
    {
        File.WriteAllText(Directory.File("image-cri-shim.yaml"), "adress: sealos.hub\n");
        var (code, output) = await Check();
        code.ShouldBe(2, output);
        output.ShouldContain("problem  settings: adress (image-cri-shim.yaml:1): unknown key; did you mean address?\n");
    }

    private async Task StartGoodNode()
    {
        var runtime = StartRuntime();
        foreach (var version in (string[])["v1", "v1alpha2"])
            runtime.On($"/runtime.{version}.RuntimeService/Version", call => call.AnswerAsync(Message(Field(1, "0.1.0"), Field(2, "cri-o"), Field(3, "1.31.0"), Field(4, version))));
        runtime.Images.Add("registry.k8s.io/pause:3.10");
        Write("etc/crio/crio.conf", "[crio.image]\npause_image = \"registry.k8s.io/pause:3.10\"\n");
        Write("etc/containers/registries.conf", $"[[registry]]\nprefix = \"{_hub.Host}\"\nlocation = \"{_hub.Host}\"\ninsecure = true\n");
        Write("etc/crictl.yaml", $"runtime-endpoint: unix://{ShimSocketPath}\n");
        Write("var/lib/kubelet/config.yaml", $"containerRuntimeEndpoint: unix://{ShimSocketPath}\n");
        await StartShim($"address: {_hub.Address}\nprobeTimeout: 20s");
    }

    private Task<(int Code, string Output)> Check(params string[] options) =>
        Run(["check", "--file", Directory.File("image-cri-shim.yaml"), "--root", Directory.File("root"), .. options]);

    private void Write(string path, string text)
    {
        System.IO.Directory.CreateDirectory(Path.GetDirectoryName(Directory.File($"root/{path}"))!);
        File.WriteAllText(Directory.File($"root/{path}"), text);
    }

    private string AsPrinted(string output) => output.Replace(_hub.Host, "HUB").Replace(Directory.Path, "DIR");
}
