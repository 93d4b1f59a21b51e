using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Layouts;

/// <summary>The stand-ins read what systemd, kubelet and k3s read, as these do.</summary>
public sealed class StandInsTests : IDisposable
{
    private readonly TempDirectory _directory = new(inMemory: true);

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("A=--x=1 --y=2 \n", "--x=1 --y=2")]
    [InlineData("A=\"--x=1 \\\n--y=2 \\\n  \"\n", "--x=1 --y=2   ")]
    [InlineData("A=--x=1 \\\n  --y=2\n", "--x=1   --y=2")]
    [InlineData("A=--x=\"1 2\"\n", "--x=\"1 2\"")]
    [InlineData("A='--x=\\1'\n", "--x=\\1")]
    [InlineData("# a comment \\\nA=lost\nA=--x\n", "--x")]
    [InlineData("A=--x\nA=--y", "--y")]
    [InlineData("export A=--x\nA=--y\n", "--y")]
    public void A_file_of_variables(string text, string value) => new VariableFile().Read(text)["A"].ShouldBe(value);

    [Theory]
    [InlineData("/bin/kubelet $A --z", "/bin/kubelet|--x=1|--y=2 3|--z")]
    [InlineData("/bin/kubelet --all=\"${A}\"", "/bin/kubelet|--all=--x=1 '--y=2 3'")]
    [InlineData("/bin/kubelet $NONE --$A", "/bin/kubelet|--$A")]
    public void A_command_and_its_variables(string command, string words) =>
        string.Join('|', SystemdWords.Expand(SystemdWords.Split(command), new Dictionary<string, string> { ["A"] = "--x=1 '--y=2 3'" })).ShouldBe(words);

    [Fact]
    public void Units_with_drop_ins_of_several_directories()
    {
        Write("/usr/lib/systemd/system/a.service", "[Service]\nExecStart=/bin/kubelet \\\n# between\n  --v=1\nEnvironment=A=1\n");
        Write("/usr/lib/systemd/system/a.service.d/10-one.conf", "[Service]\nExecStart=\nExecStart=/bin/kubelet --of-the-package\n");
        Write("/etc/systemd/system/a.service.d/10-one.conf", "[Service]\nEnvironment=\n");
        Write("/etc/systemd/system/a.service.d/20-two.conf", "[Service]\nEnvironment='B=--v=2 --x=3'\n");
        var (words, variables) = LoadedUnit.Load(new NodeTree(_directory.Path), "a.service")!.Command(new NodeTree(_directory.Path));
        words.ShouldBe(["/bin/kubelet", "--v=1"]);
        variables.ShouldHaveSingleItem().ShouldBe(new KeyValuePair<string, string>("B", "--v=2 --x=3"));
    }

    [Fact]
    public void Files_of_k3s_and_what_they_add_to_each_other()
    {
        Write("/etc/rancher/k3s/config.yaml", "kubelet-arg: v=1\nnode-label+: [a]\n");
        Write("/etc/rancher/k3s/config.yaml.d/10.yaml", "kubelet-arg:\n- v=2\nnode-label+: b\n");
        Write("/etc/rancher/k3s/config.yaml.d/20.yml", "kubelet-arg+:\n- container-runtime-endpoint=unix:///run/other.sock\n");
        var tree = new NodeTree(_directory.Path);
        $"{RancherSettings.Of(tree, "k3s", ["server"], new Dictionary<string, string>()).Kubelet}"
            .ShouldBe("/run/other.sock\n--v=2\nnode-label=a\nnode-label=b");
        $"{RancherSettings.Of(tree, "k3s", ["server", "--kubelet-arg=v=3", "-c", "/none"], new Dictionary<string, string>()).Kubelet}"
            .ShouldBe("/run/k3s/containerd/containerd.sock\n--v=3\nc=/none");
    }

    [Fact]
    public void A_kubelet_that_would_not_start()
    {
        var tree = new NodeTree(_directory.Path);
        Write("/settings", "kind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1beta1\nmaxPods: 1\nmaxPods: 2\n");
        Should.Throw<NodeFailure>(() => KubeletSettings.Of(tree, ["--config=/settings"])).Message.ShouldStartWith("/settings is no YAML");
        Should.Throw<NodeFailure>(() => KubeletSettings.Of(tree, ["--v=1", "\\"])).Message.ShouldContain("unknown command \\");
        Should.Throw<NodeFailure>(() => KubeletSettings.Of(tree, ["--config=/none"])).Message.ShouldContain("/none is missing");
    }

    private void Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_directory.Path + path)!);
        File.WriteAllText(_directory.Path + path, text);
    }
}
