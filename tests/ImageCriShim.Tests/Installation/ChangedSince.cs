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

    // Kubelet does not call us by it any more, so that it is no reason to stay.
    [Fact]
    public void What_no_longer_names_us_is_left_as_it_is()
    {
        const string theirs = "KUBELET_KUBEADM_ARGS=\"--container-runtime-endpoint=unix:///run/crio/crio.sock --v=2\"\n";
        _node.Write(Flags, theirs);
        var outcome = _node.Uninstall();
        outcome.Code.ShouldBe(0);
        outcome.Output.ShouldEndWith("Uninstalled.\n");
        outcome.Errors.ShouldBe($"{Flags} was changed since the installation and stays so; it does not name image-cri-shim any more\n");
        _node.Read(Flags).ShouldBe(theirs);
        _node.Has(Kept).ShouldBeFalse();
    }

    [Fact]
    public void A_unit_of_ours_that_was_edited_is_left_and_said_so_each_time()
    {
        const string unit = "/etc/systemd/system/image-cri-shim.service";
        File.AppendAllText(_node.Root + unit, "# edited\n");
        var outcome = _node.Uninstall();
        outcome.Code.ShouldBe(1);
        outcome.Output.ShouldEndWith("Uninstalled, but for what is named above.\n");
        outcome.Errors.ShouldBe($"{unit} was changed since the installation and is left alone; it was not there before\n");
        _node.Has(unit).ShouldBeTrue();
        File.Delete(_node.Root + unit);
        _node.Uninstall().Code.ShouldBe(0);
        _node.Has(Kept).ShouldBeFalse();
    }

    // By kubeadm reset.
    [Fact]
    public void A_file_that_is_gone_stays_gone()
    {
        File.Delete(_node.Root + Flags);
        var outcome = _node.Uninstall();
        outcome.Code.ShouldBe(0);
        outcome.Errors.ShouldContain($"{Flags} was removed since the installation and stays so");
        _node.Has(Flags).ShouldBeFalse();
        _node.Has(Kept).ShouldBeFalse();
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
