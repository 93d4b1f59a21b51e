using ImageCriShim.Commands;

namespace ImageCriShim.Tests.Installation;

/// <summary>Our drop-in holds a copy of a package's command, and packages get new versions.</summary>
public sealed class StaleCopies : IDisposable
{
    private const string Unit = "/usr/lib/systemd/system/kubelet.service";
    private const string DropIn = "/etc/systemd/system/kubelet.service.d/90-image-cri-shim.conf";
    private const string Containerd = "unix:///run/containerd/containerd.sock";
    private const string NothingToDo = "Nothing to do: everything is installed as it should be.\n";

    private readonly InstalledNode _node = new();

    public StaleCopies()
    {
        Write("--v=2");
        _node.Install(address: "sealos.hub").Code.ShouldBe(0);
    }

    public void Dispose() => _node.Dispose();

    [Fact]
    public void What_the_package_runs_since_is_run_after_installing_again()
    {
        Write("--v=2 --fail-swap-on=false");
        _node.Install(InstallMode.DryRun).Output.ShouldContain("+ExecStart=/usr/bin/kubelet --container-runtime-endpoint=unix:///var/run/image-cri-shim.sock --v=2 --fail-swap-on=false\n");
        _node.Install().Code.ShouldBe(0);
        _node.Install().Output.ShouldBe(NothingToDo);
        _node.Uninstall().Code.ShouldBe(0);
        _node.Has(DropIn).ShouldBeFalse();
    }

    [Fact]
    public void What_an_operator_added_to_it_stays_while_the_package_is_the_same()
    {
        Edit();
        _node.Install().Output.ShouldBe(NothingToDo);
    }

    [Fact]
    public void What_an_operator_added_to_it_is_not_lost_when_the_package_has_changed_too()
    {
        Edit();
        Write("--v=3");
        var before = _node.Look();
        var outcome = _node.Install();
        outcome.Code.ShouldBe(1);
        outcome.Errors.ShouldBe($"{DropIn} was edited, and {Unit}, of which it holds a copy, has changed since; "
            + $"move what you added to a drop-in of your own, remove {DropIn}, and install again\n");
        _node.Look().ShouldBe(before);
        File.Delete(_node.Root + DropIn);
        _node.Install().Code.ShouldBe(0);
        _node.Read(DropIn).ShouldContain("image-cri-shim.sock --v=3\n");
    }

    [Fact]
    public void Where_an_operator_pointed_it_elsewhere_it_is_pointed_back()
    {
        _node.Write(DropIn, _node.Read(DropIn).Replace("unix:///var/run/image-cri-shim.sock", Containerd, StringComparison.Ordinal));
        _node.Install().Code.ShouldBe(0);
        _node.Read(DropIn).ShouldContain("--container-runtime-endpoint=unix:///var/run/image-cri-shim.sock --v=2\n");
    }

    [Fact]
    public void A_package_that_names_the_runtime_elsewhere_since_makes_the_copy_void()
    {
        _node.Write(Unit, "[Service]\nExecStart=/usr/bin/kubelet --config=/etc/kubelet.yaml\n");
        _node.Write("/etc/kubelet.yaml", $"containerRuntimeEndpoint: {Containerd}\n");
        _node.Install().Code.ShouldBe(0);
        _node.Read(DropIn).ShouldNotContain("ExecStart");
        _node.Read("/etc/kubelet.yaml").ShouldContain("image-cri-shim.sock");
        _node.Install().Output.ShouldBe(NothingToDo);
        _node.Uninstall().Code.ShouldBe(0);
        _node.Has(DropIn).ShouldBeFalse();
        _node.Read("/etc/kubelet.yaml").ShouldBe($"containerRuntimeEndpoint: {Containerd}\n");
    }

    private void Edit() => _node.Write(DropIn, _node.Read(DropIn).Replace("--v=2", "--v=2 --node-ip=10.0.0.4", StringComparison.Ordinal));

    private void Write(string arguments) => _node.Write(Unit, $"[Service]\nExecStart=/usr/bin/kubelet --container-runtime-endpoint={Containerd} {arguments}\n");
}
