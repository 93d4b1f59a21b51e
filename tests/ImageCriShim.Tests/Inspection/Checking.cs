using System.Text.Json;
using ImageCriShim.Commands;
using ImageCriShim.Configuration;
using ImageCriShim.Inspection;
using ImageCriShim.Installation;
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
    public async Task A_good_node_with_the_shim_at_work_has_nothing_to_mend()
    {
        await StartGoodNode();
        var origins = new Origins();
        var config = ConfigFile.Load(Directory.File("image-cri-shim.yaml"), origins);
        var node = new NodeInspection(Directory.File("image-cri-shim.yaml"), config, origins, new NodeRoot(new NodeFiles(Directory.File("root"))), TimeProvider.System, _ => null);
        var findings = await node.Look(TestContext.Current.CancellationToken);
        CheckDocument.ShouldHold(AsPrinted(CheckText.Format(findings, hasColour: false)));
        CheckCommand.CodeOf(config, findings).ShouldBe(0);
    }

    [Fact]
    public async Task A_good_image_ends_with_0()
    {
        WriteImage();
        var (code, output) = await Run(["check", "--root", Directory.File("root")]);
        CheckDocument.ShouldHold(output.Replace(Directory.File("root"), "/mnt/image"));
        code.ShouldBe(0, output);
    }

    [Fact]
    public async Task Something_to_mend_ends_with_1_and_is_for_machines_too()
    {
        WriteImage();
        File.Delete(Directory.File("root/etc/crictl.yaml"));
        var (code, output) = await Run(["check", "--root", Directory.File("root"), "--output", "json"]);
        code.ShouldBe(1, output);
        using var json = JsonDocument.Parse(output);
        var crictl = json.RootElement.EnumerateArray().Single(finding => finding.GetProperty("state").GetString() == "problem");
        crictl.GetProperty("what").GetString().ShouldBe("crictl");
        var remedy = crictl.GetProperty("remedies").EnumerateArray().ShouldHaveSingleItem();
        remedy.GetProperty("kind").GetString().ShouldBe("write");
        remedy.GetProperty("file").GetString().ShouldBe(Directory.File("root/etc/crictl.yaml"));
        remedy.GetProperty("text").GetString().ShouldBe("runtime-endpoint: unix:///var/run/image-cri-shim.sock\nimage-endpoint: unix:///var/run/image-cri-shim.sock");
    }

    [Fact]
    public async Task Settings_that_cannot_be_used_end_with_2()
    {
        File.WriteAllText(Directory.File("image-cri-shim.yaml"), "adress: sealos.hub\n");
        var (code, output) = await Run(["check", "--file", Directory.File("image-cri-shim.yaml")]);
        code.ShouldBe(2, output);
        output.ShouldContain("problem  settings: adress (image-cri-shim.yaml:1): unknown key; did you mean address?\n");
    }

    private void WriteImage()
    {
        Write("etc/image-cri-shim.yaml", "address: http://127.0.0.1:1\ncri: /run/containerd/containerd.sock\n");
        Write("etc/crictl.yaml", "runtime-endpoint: unix:///var/run/image-cri-shim.sock\n");
        Write("var/lib/kubelet/config.yaml", "containerRuntimeEndpoint: unix:///var/run/image-cri-shim.sock\n");
    }

    private async Task StartGoodNode()
    {
        var runtime = StartRuntime();
        foreach (var version in (string[])["v1", "v1alpha2"])
            runtime.On($"/runtime.{version}.RuntimeService/Version", call => call.AnswerAsync(Message(Field(1, "0.1.0"), Field(2, "containerd"), Field(3, "v2.1.0"), Field(4, version))));
        runtime.Images.Add("registry.k8s.io/pause:3.10");
        Write("etc/containerd/config.toml", "version = 3\n[plugins.'io.containerd.cri.v1.images'.pinned_images]\n  sandbox = 'registry.k8s.io/pause:3.10'\n");
        Write("etc/crictl.yaml", $"runtime-endpoint: unix://{ShimSocketPath}\n");
        Write("var/lib/kubelet/config.yaml", $"containerRuntimeEndpoint: unix://{ShimSocketPath}\n");
        await StartShim($"address: {_hub.Address}\nprobeTimeout: 20s");
    }

    private void Write(string path, string text)
    {
        System.IO.Directory.CreateDirectory(Path.GetDirectoryName(Directory.File($"root/{path}"))!);
        File.WriteAllText(Directory.File($"root/{path}"), text);
    }

    private string AsPrinted(string output) => output.Replace(_hub.Host, "sealos.hub:5000").Replace(Directory.File("root"), "")
        .Replace(RuntimeSocketPath, "/run/containerd/containerd.sock").Replace(ShimSocketPath, "/var/run/image-cri-shim.sock")
        .Replace(Directory.File("image-cri-shim.yaml"), "/etc/image-cri-shim.yaml");
}
