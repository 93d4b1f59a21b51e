using ImageCriShim.Commands;
using ImageCriShim.Installation;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Installation;

/// <summary>Which service runs this node's kubelet, and what is done to it.</summary>
public sealed class NodesKubelet : IDisposable
{
    private const string Packages = "/usr/local/lib/systemd/system";

    private readonly InstalledNode _node = new();
    private string _active = "";

    public void Dispose() => _node.Dispose();

    // RKE2's tarball lays down both; to restart the server there would take the agent down (Conflicts=).
    [Theory]
    [InlineData("rke2-agent.service", "")]
    [InlineData("rke2-server.service", "")]
    [InlineData("", "rke2-agent.service")]
    [InlineData("", "rke2-server.service")]
    [InlineData("rke2-agent.service", "rke2-server.service")]
    public void Is_the_one_that_is_active_or_else_enabled(string active, string enabled)
    {
        LayDown("rke2-server", "rke2-agent");
        _active = active;
        if (enabled.Length > 0)
            _node.Link($"{SystemdUnits.Own}/multi-user.target.wants/{enabled}", $"{Packages}/{enabled}");
        Install().Code.ShouldBe(0);
        var expected = active.Length > 0 ? active : enabled;
        Calls().Where(IsOfKubelet).ShouldBe(active.Length > 0 ? [$"try-restart {expected}"] : []);
        _node.Install(InstallMode.DryRun, systemd: Systemctl()).Output.ShouldStartWith("Nothing to do");
    }

    [Fact]
    public void Is_not_one_that_is_masked()
    {
        LayDown("rke2-server", "rke2-agent");
        _node.Link($"{SystemdUnits.Own}/rke2-server.service", "/dev/null");
        var outcome = _node.Install(InstallMode.DryRun, address: "sealos.hub", systemd: Systemctl());
        outcome.Code.ShouldBe(0, outcome.Errors);
        outcome.Output.ShouldContain("to be restarted: image-cri-shim.socket, image-cri-shim.service, rke2-agent.service.");
    }

    [Fact]
    public void May_have_a_name_of_the_operators_and_is_restarted_by_it()
    {
        _node.Write($"{SystemdUnits.Own}/k3s-edge.service", "[Service]\nExecStart=/usr/local/bin/k3s \\\n    agent \\\n");
        _node.Write("/etc/rancher/k3s/config.yaml", "token: abc\n");
        _active = "k3s-edge.service";
        Install().Code.ShouldBe(0);
        _ = Calls();
        var outcome = _node.Uninstall(systemd: Systemctl());
        outcome.Code.ShouldBe(0, outcome.Errors);
        Calls().Where(IsOfKubelet).ShouldBe(["try-restart k3s-edge.service"]);
        _node.Read("/etc/rancher/k3s/config.yaml").ShouldBe("token: abc\n");
    }

    [Fact]
    public void Is_never_started()
    {
        _node.Write($"{SystemdUnits.Own}/kubelet.service", "[Service]\nExecStart=/usr/bin/kubelet --container-runtime-endpoint=unix:///run/containerd/containerd.sock\n");
        Install().Code.ShouldBe(0);
        _node.Uninstall(systemd: Systemctl()).Code.ShouldBe(0);
        Calls().Where(IsOfKubelet).ShouldBeEmpty();
    }

    // What is left of a k3s that ran here once.
    [Fact]
    public void Is_not_that_of_a_distribution_whose_settings_lie_about()
    {
        _node.Write("/etc/rancher/k3s/config.yaml", "token: abc\n");
        _node.Write($"{SystemdUnits.Own}/kubelet.service", "[Service]\nExecStart=/usr/bin/kubelet --container-runtime-endpoint=unix:///run/containerd/containerd.sock\n");
        _active = "kubelet.service";
        Install().Code.ShouldBe(0);
        Calls().Where(IsOfKubelet).ShouldBe(["try-restart kubelet.service"]);
        _node.Read("/etc/rancher/k3s/config.yaml").ShouldBe("token: abc\n");
    }

    [Fact]
    public void May_be_gone_when_we_go()
    {
        _node.Write($"{SystemdUnits.Own}/kubelet.service", "[Service]\nExecStart=/usr/bin/kubelet --container-runtime-endpoint=unix:///run/containerd/containerd.sock\n");
        _active = "kubelet.service";
        Install().Code.ShouldBe(0);
        File.Delete($"{_node.Root}{SystemdUnits.Own}/kubelet.service");
        _active = "";
        var outcome = _node.Uninstall(systemd: Systemctl());
        outcome.Code.ShouldBe(0, outcome.Errors);
        _node.Has("/usr/bin/image-cri-shim").ShouldBeFalse();
    }

    // After our units have gone, systemd does not know them, and says so with an exit code.
    [Fact]
    public void Whatever_systemd_has_forgotten_by_then_uninstalling_again_completes_it()
    {
        var wasInterrupted = true;
        for (var step = 0; wasInterrupted; step++)
        {
            using var node = new InstalledNode();
            node.Write($"{SystemdUnits.Own}/kubelet.service", "[Service]\nExecStart=/usr/bin/kubelet --container-runtime-endpoint=unix:///run/containerd/containerd.sock\n");
            _active = "kubelet.service";
            node.Install(address: "sealos.hub", systemd: Systemctl(node)).Code.ShouldBe(0);
            var left = step;
            wasInterrupted = false;
            try
            {
                node.Uninstall(systemd: Systemctl(node), beforeStep: _ => Interrupt(left-- == 0));
            }
            catch (OperationCanceledException)
            {
                wasInterrupted = true;
                var outcome = node.Uninstall(systemd: Systemctl(node));
                outcome.Code.ShouldBe(0, $"step {step}: {outcome.Errors}");
            }

            node.Has("/usr/bin/image-cri-shim").ShouldBeFalse();
            step.ShouldBeLessThan(100);
        }
    }

    private static void Interrupt(bool isTheMoment)
    {
        if (isTheMoment)
            throw new OperationCanceledException();
    }

    private static bool IsOfKubelet(string call) => call.Contains("restart ", StringComparison.Ordinal) && !call.Contains("image-cri-shim", StringComparison.Ordinal);

    private void LayDown(params string[] units)
    {
        foreach (var unit in units)
            _node.Write($"{Packages}/{unit}.service", $"[Service]\nExecStart=/usr/local/bin/rke2 {unit["rke2-".Length..]}\n");
        _node.Write("/etc/rancher/rke2/config.yaml", "token: abc\n");
    }

    private Outcome Install() => _node.Install(address: "sealos.hub", systemd: Systemctl());

    /// <summary>A systemctl that knows what is active, and which units there are.</summary>
    private Systemd Systemctl(InstalledNode? node = null)
    {
        node ??= _node;
        var program = node.Beside("systemctl");
        Script.Put(program, $"""
            #!/bin/bash
            active='{_active}'
            if [[ $1 == show ]]; then
                [[ $4 == "$active" || ( $4 == image-cri-shim* && -e {node.Root}{SystemdUnits.Own}/$4 ) ]] && echo active || echo inactive
                exit
            fi
            echo "$*" >> {node.Beside("calls")}
            [[ $1 != *restart ]] || [[ -e {node.Root}{SystemdUnits.Own}/$2 || -e {node.Root}{Packages}/$2 ]] || exit 5
            [[ $1 != stop ]] || [[ -e {node.Root}{SystemdUnits.Own}/$2 ]] || exit 5

            """);
        return new Systemd(isRunning: true, program);
    }

    private string[] Calls() => _node.TakeLines("calls");
}
