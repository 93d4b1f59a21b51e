using ImageCriShim.Commands;
using ImageCriShim.Configuration;

namespace ImageCriShim.Tests.Installation;

/// <summary>What is asked before anything is changed, what is written then, and what is in the way.</summary>
public sealed class AskingFirst : IDisposable
{
    private const string Settings = "/etc/image-cri-shim.yaml";

    private readonly InstalledNode _node = new();

    public AskingFirst() => _node.Write("/var/lib/kubelet/kubeadm-flags.env", "KUBELET_KUBEADM_ARGS=--container-runtime-endpoint=unix:///run/containerd/containerd.sock\n");

    public void Dispose() => _node.Dispose();

    [Theory]
    [InlineData("y\n", true)]
    [InlineData("Yes\n", true)]
    [InlineData("n\n", false)]
    [InlineData("\n", false)]
    [InlineData("", false)]
    public void A_terminal_is_asked(string answer, bool isDone)
    {
        var outcome = _node.Install(InstallMode.Ask, address: "sealos.hub", answer: answer);
        outcome.Code.ShouldBe(0);
        outcome.Output.ShouldContain("Apply? [y/N] ");
        _node.Has(Settings).ShouldBe(isDone);
    }

    [Fact]
    public void Without_a_terminal_it_is_to_be_said()
    {
        var before = _node.Look();
        var outcome = _node.Install(InstallMode.Ask, address: "sealos.hub");
        outcome.Code.ShouldBe(1);
        outcome.Errors.ShouldBe("there is no terminal to ask whether this is to be done; say --yes, or --dry-run to see it only\n");
        _node.Look().ShouldBe(before);
    }

    [Theory]
    [InlineData("admin:a:b")]
    [InlineData("admin:\"\\#é'")]
    public void The_credential_is_written_for_root_alone_and_never_shown(string auth)
    {
        File.WriteAllText(_node.Beside("auth"), $"{auth}\n");
        var outcome = _node.Install(address: "sealos.hub", authFile: _node.Beside("auth"));
        outcome.Code.ShouldBe(0, outcome.Errors);
        outcome.Output.ShouldContain("+auth: ***\n");
        outcome.Output.ShouldNotContain("admin");
        File.GetUnixFileMode(_node.Root + Settings).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var origins = new Origins();
        ConfigFile.Load(_node.Root + Settings, origins).Problems.ShouldBeEmpty();
        origins.Find("", "auth")?.Text.ShouldBe(auth);
    }

    [Theory]
    [InlineData("secret-without-a-user", "does not hold user:password; write one line")]
    [InlineData("user:one\nuser:two", "does not hold user:password; write one line")]
    [InlineData(null, "does not exist")]
    public void A_file_without_a_credential_is_refused(string? content, string why)
    {
        if (content is not null)
            File.WriteAllText(_node.Beside("auth"), content);
        var outcome = _node.Install(address: "sealos.hub", authFile: _node.Beside("auth"));
        outcome.ShouldBe(new Outcome(2, "", $"--auth-file {_node.Beside("auth")}: {why}\n"));
        _node.Has(Settings).ShouldBeFalse();
    }

    [Fact]
    public void What_cannot_be_written_is_named_and_the_same_again_completes_it()
    {
        Directory.Delete($"{_node.Root}/usr/bin");
        _node.Write("/usr/bin", "in the way");
        var outcome = _node.Install(address: "sealos.hub");
        outcome.Code.ShouldBe(1);
        outcome.Errors.ShouldStartWith("cannot make /usr/bin: ");
        File.Delete($"{_node.Root}/usr/bin");
        _node.Install(address: "sealos.hub").Code.ShouldBe(0);
        _node.Has("/usr/bin/image-cri-shim").ShouldBeTrue();
        _node.Uninstall().Code.ShouldBe(0);
        _node.Has("/var/lib/image-cri-shim").ShouldBeFalse();
    }

    [Fact]
    public void A_unit_that_is_masked_is_not_unmasked()
    {
        _node.Link("/etc/systemd/system/image-cri-shim.service", "/dev/null");
        Directory.CreateDirectory($"{_node.Root}/dev/null");
        var outcome = _node.Install(address: "sealos.hub");
        outcome.Code.ShouldBe(1);
        outcome.Errors.ShouldBe("/dev/null is a directory; a file must stand there\n");
    }

    [Fact]
    public void Links_that_lead_in_a_circle_are_an_error()
    {
        _node.Link("/etc/crictl.yaml", "/etc/crictl2.yaml");
        _node.Link("/etc/crictl2.yaml", "crictl.yaml");
        _node.Install(address: "sealos.hub").Errors.ShouldBe("/etc/crictl.yaml: its links lead in a circle; mend them\n");
    }
}
