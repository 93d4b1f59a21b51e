using System.Net.Sockets;
using ImageCriShim.Installation;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Installation;

/// <summary>What systemd is asked for, and when.</summary>
public sealed class RestartingServices : IDisposable
{
    private const string Flags = "/var/lib/kubelet/kubeadm-flags.env";
    private const string Unit = "/etc/systemd/system/image-cri-shim.service";

    private readonly InstalledNode _node = new();

    public RestartingServices() => _node.Write(Flags, "KUBELET_KUBEADM_ARGS=--container-runtime-endpoint=unix:///run/containerd/containerd.sock\n");

    public void Dispose() => _node.Dispose();

    [Fact]
    public void We_serve_before_kubelet_is_pointed_at_us()
    {
        Install().Code.ShouldBe(0);
        Calls().ShouldBe(
        [
            "daemon-reload: unit, kubelet elsewhere",
            "stop image-cri-shim.service: unit, kubelet elsewhere",
            "restart image-cri-shim.socket: unit, kubelet elsewhere",
            "daemon-reload: unit, kubelet elsewhere",
            "restart image-cri-shim.service: unit, kubelet elsewhere",
            "daemon-reload: unit, kubelet at us",
            "try-restart kubelet.service: unit, kubelet at us",
        ]);
    }

    [Fact]
    public void Kubelet_is_pointed_back_before_we_stop()
    {
        Install();
        _ = Calls();
        _node.Uninstall(systemd: Systemctl()).Code.ShouldBe(0);
        Calls().ShouldBe(
        [
            "daemon-reload: unit, kubelet elsewhere",
            "try-restart kubelet.service: unit, kubelet elsewhere",
            "stop image-cri-shim.socket image-cri-shim.service: unit, kubelet elsewhere",
            "daemon-reload: no unit, kubelet elsewhere",
        ]);
    }

    // systemd leaves it there.
    [Fact]
    public void Our_socket_goes_with_us()
    {
        Install();
        Directory.CreateDirectory($"{_node.Root}/run");
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified); // which takes its file with it
        socket.Bind(new UnixDomainSocketEndPoint($"{_node.Root}/run/image-cri-shim.sock"));
        _node.Has("/run/image-cri-shim.sock").ShouldBeTrue();
        _node.Uninstall(systemd: Systemctl()).Code.ShouldBe(0);
        _node.Has("/run/image-cri-shim.sock").ShouldBeFalse();
    }

    [Fact]
    public void Nothing_is_restarted_where_nothing_was_changed()
    {
        Install();
        _ = Calls();
        Install().Output.ShouldStartWith("Nothing to do");
        Calls().ShouldBeEmpty();
    }

    [Fact]
    public void If_we_do_not_start_kubelet_is_left_alone_and_the_next_time_goes_on()
    {
        var before = _node.Read(Flags);
        var outcome = _node.Install(address: "sealos.hub", systemd: Systemctl("[[ $* != 'restart image-cri-shim.service' ]]"));
        outcome.Code.ShouldBe(1);
        outcome.Errors.ShouldBe("systemctl restart image-cri-shim.service ended with 1; see journalctl -u image-cri-shim.service, and do it again\n");
        _node.Read(Flags).ShouldBe(before);
        _ = Calls();
        Install().Code.ShouldBe(0);
        Calls().Where(call => call.Contains("restart ", StringComparison.Ordinal)).ShouldBe(
        [
            "restart image-cri-shim.service: unit, kubelet elsewhere",
            "try-restart kubelet.service: unit, kubelet at us",
        ]);
    }

    [Fact]
    public void What_is_to_be_restarted_is_restarted_although_everything_is_written()
    {
        Should.Throw<OperationCanceledException>(() => _node.Install(address: "sealos.hub", systemd: Systemctl(), beforeStep: step =>
        {
            if (step.EndsWith("manifest.json", StringComparison.Ordinal) && _node.Read(Flags).Contains("image-cri-shim", StringComparison.Ordinal))
                throw new OperationCanceledException();
        }));
        _ = Calls();
        var outcome = Install();
        outcome.Output.ShouldStartWith("0 changes; to be restarted: kubelet.service.");
        Calls().ShouldContain("try-restart kubelet.service: unit, kubelet at us");
        Install().Output.ShouldStartWith("Nothing to do");
    }

    [Fact]
    public void The_shim_that_was_there_before_us_is_started_again()
    {
        _node.Write(Unit, "[Service]\nExecStart=/usr/bin/image-cri-shim -f /etc/image-cri-shim.yaml\n");
        Install();
        _node.Uninstall(systemd: Systemctl()).Code.ShouldBe(0);
        Calls()[^1].ShouldBe("restart image-cri-shim.service: unit, kubelet elsewhere");
    }

    private Outcome Install() => _node.Install(address: "sealos.hub", systemd: Systemctl());

    /// <summary>A systemctl that writes down what it is asked, and how things are at that time.</summary>
    private Systemd Systemctl(string end = "true")
    {
        var program = _node.Beside("systemctl");
        Script.Put(program, $"""
            #!/bin/bash
            [[ $1 != show ]] || exit 0
            unit=$(test -e {_node.Root}{Unit} && echo unit || echo 'no unit')
            kubelet=$(grep -q image-cri-shim {_node.Root}{Flags} && echo 'at us' || echo elsewhere)
            echo "$*: $unit, kubelet $kubelet" >> {_node.Beside("calls")}
            {end}

            """);
        return new Systemd(isRunning: true, program);
    }

    /// <summary>Those since it was asked last.</summary>
    private string[] Calls() => _node.TakeLines("calls");
}
