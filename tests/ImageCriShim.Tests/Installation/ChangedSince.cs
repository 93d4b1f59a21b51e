namespace ImageCriShim.Tests.Installation;

/// <summary>Uninstalling where somebody has changed files since.</summary>
public sealed class ChangedSince : IDisposable
{
    private const string Flags = "/var/lib/kubelet/kubeadm-flags.env";
    private const string Crictl = "/etc/crictl.yaml";
    private const string Settings = "/etc/image-cri-shim.yaml";
    private const string Kept = "/var/lib/image-cri-shim";

    private readonly InstalledNode _node = new();

    public ChangedSince()
    {
        _node.Write(Flags, "KUBELET_KUBEADM_ARGS=\"--container-runtime-endpoint=unix:///run/containerd/containerd.sock\"\n");
        _node.Write(Crictl, "runtime-endpoint: unix:///run/containerd/containerd.sock\ntimeout: 2\n");
        _node.Install(address: "sealos.hub:5000").Code.ShouldBe(0);
    }

    public void Dispose() => _node.Dispose();

    [Fact]
    public void Only_our_lines_are_taken_back()
    {
        _node.Write(Crictl, _node.Read(Crictl).Replace("timeout: 2\n", "timeout: 30 # more\ndebug: true\n", StringComparison.Ordinal));
        var outcome = _node.Uninstall();
        outcome.Code.ShouldBe(0, outcome.Errors);
        outcome.Errors.ShouldBe($"{Crictl} was changed since the installation; only our lines are taken back\n");
        _node.Read(Crictl).ShouldBe("runtime-endpoint: unix:///run/containerd/containerd.sock\ntimeout: 30 # more\ndebug: true\n");
        _node.Has(Kept).ShouldBeFalse();
    }

    [Fact]
    public void What_cannot_be_taken_back_is_left_and_what_it_was_is_kept()
    {
        const string theirs = "KUBELET_KUBEADM_ARGS=\"--container-runtime-endpoint=unix:///run/crio/crio.sock --v=2\"\n";
        _node.Write(Flags, theirs);
        var outcome = _node.Uninstall();
        outcome.Code.ShouldBe(1);
        outcome.Output.ShouldEndWith("Uninstalled, but for what is named above.\n");
        _node.Read(Flags).ShouldBe(theirs);
        outcome.Errors.ShouldStartWith($"{Flags} was changed since the installation and is left alone; what it was is {Kept}/install/");
        _node.Read(outcome.Errors.TrimEnd()[outcome.Errors.IndexOf(Kept, StringComparison.Ordinal)..]).ShouldContain("unix:///run/containerd/containerd.sock");
        _node.Has(Settings).ShouldBeFalse();
    }

    [Fact]
    public void What_was_left_can_be_mended_and_then_nothing_is_left()
    {
        _node.Write(Flags, "KUBELET_KUBEADM_ARGS=\n");
        _node.Uninstall().Code.ShouldBe(1);
        _node.Write(Flags, "KUBELET_KUBEADM_ARGS=\"--container-runtime-endpoint=unix:///run/containerd/containerd.sock\"\n");
        _node.Uninstall().Code.ShouldBe(0);
        _node.Has(Kept).ShouldBeFalse();
    }

    [Fact]
    public void A_file_that_is_gone_stays_gone()
    {
        File.Delete(_node.Root + Flags);
        var outcome = _node.Uninstall();
        outcome.Code.ShouldBe(1);
        outcome.Errors.ShouldContain($"{Flags} was removed since the installation and is left alone");
        _node.Has(Flags).ShouldBeFalse();
    }

    [Fact]
    public void Settings_that_were_edited_stay()
    {
        File.AppendAllText(_node.Root + Settings, "offlineOnly: true\n");
        var outcome = _node.Uninstall();
        outcome.ShouldSatisfyAllConditions(
            () => outcome.Code.ShouldBe(0),
            () => outcome.Errors.ShouldBe($"{Settings} was changed since the installation and is kept; remove it yourself\n"));
        _node.Read(Settings).ShouldEndWith("offlineOnly: true\n");
        _node.Has(Kept).ShouldBeFalse();
    }

    [Fact]
    public void A_changed_mode_is_changed_back()
    {
        _node.Write(Crictl, "runtime-endpoint: unix:///run/containerd/containerd.sock\ntimeout: 2\n", UnixFileMode.UserRead);
        _node.Uninstall().Code.ShouldBe(0);
        File.GetUnixFileMode(_node.Root + Crictl).ShouldBe((UnixFileMode)0b110_100_100);
    }

    // kubeadm upgrade does it.
    [Fact]
    public void What_others_wrote_between_two_installations_comes_back_without_our_lines()
    {
        const string theirs = "KUBELET_KUBEADM_ARGS=\"--container-runtime-endpoint=unix:///run/containerd/containerd.sock --node-ip=10.0.0.4\"\n";
        _node.Write(Flags, theirs);
        _node.Install(address: "sealos.hub:5000").Code.ShouldBe(0);
        _node.Read(Flags).ShouldContain("unix:///var/run/image-cri-shim.sock --node-ip=10.0.0.4");
        _node.Uninstall().Code.ShouldBe(0);
        _node.Read(Flags).ShouldBe(theirs);
    }

    [Fact]
    public void What_the_daemon_has_written_goes_with_its_directory()
    {
        _node.Write($"{Kept}/pulls.json", "{}");
        _node.Uninstall().Code.ShouldBe(0);
        _node.Has(Kept).ShouldBeFalse();
    }
}
