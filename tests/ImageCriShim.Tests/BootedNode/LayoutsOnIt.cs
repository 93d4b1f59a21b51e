using ImageCriShim.Tests.Layouts;

namespace ImageCriShim.Tests.BootedNode;

/// <summary>
/// Layouts on a real systemd: what it makes of their units, files of variables and of what install adds to them. The kubelet is a script
/// that asks the runtime it is told of for its version each 100 ms, and says in the journal when nobody answers.
/// </summary>
[Collection<BootedNodeTests>]
public sealed class LayoutsOnIt(DebianNode node) : BootedTest(node)
{
    private const string Kept = "/opt/kept-for-layouts";

    // The last one counts; the runtime is found as kubelet finds it, and in k3s and RKE2 their kubelet.
    private const string Program = """
        #!/bin/sh
        told() { sed -n "s/.*$1\([^\" ]*\).*/\1/p" "$2" 2>/dev/null | tail -n 1; }
        endpoint=''
        config=${RKE2_CONFIG_FILE:-/etc/rancher/rke2/config.yaml}
        for flag in "$@"; do
            case $flag in
                --container-runtime-endpoint=*) endpoint=${flag#*=} ;;
                --config=*) config=${flag#*=} ;;
            esac
        done
        [ -n "$endpoint" ] || endpoint=$(told 'container-\{0,1\}[rR]untime-\{0,1\}[eE]ndpoint[=:] *"\{0,1\}' "$config")
        [ -n "$endpoint" ] || endpoint=unix:///run/containerd/containerd.sock
        echo "calls $endpoint"
        systemd-notify --ready 2>/dev/null || true
        printf '\000\000\000\000\000' >/run/version-request
        said=''
        while :; do
            if curl -s --max-time 10 --http2-prior-knowledge --unix-socket "${endpoint#unix://}" --data-binary @/run/version-request \
                -H 'content-type: application/grpc' -H 'te: trailers' -D - -o /dev/null http://localhost/runtime.v1.RuntimeService/Version |
                grep -aqi '^grpc-status: *0'; then
                [ -n "$said" ] || echo "is answered on $endpoint"
                said=yes
            else
                echo "nobody answers on $endpoint"
            fi
            sleep 0.1
        done

        """;

    [Fact]
    public async Task A_node_of_kubeadm_1_29_and_what_happens_to_it() => await Live("kubeadm-1.29", "kubelet", "/usr/bin/kubelet");

    [Fact]
    public async Task A_node_of_kubeadm_that_moves_the_runtime_into_its_settings() =>
        await Live("kubeadm-1.29-to-1.34", "kubelet", "/usr/bin/kubelet");

    [Fact]
    public async Task An_agent_of_RKE2_beside_the_unit_of_a_server()
    {
        await Live("rke2-agent", "rke2-agent", "/usr/local/bin/rke2");
        (await Node.Try("systemctl is-active rke2-server")).ShouldStartWith("inactive");
    }

    public override async ValueTask DisposeAsync()
    {
        await Node.Run($"""
            image-cri-shim uninstall --yes >/dev/null 2>&1 || true
            systemctl disable -q --now kubelet rke2-agent rke2-server 2>/dev/null || true
            rm -rf /etc/systemd/system/kubelet.service* /usr/lib/systemd/system/kubelet.service* /usr/local/lib/systemd/system/rke2-*
            rm -rf /etc/default/kubelet /etc/rancher /usr/local/bin/rke2 /var/lib/kubelet /etc/tmpfiles.d/rke2.conf
            cp -a {Kept}/. / && rm -rf {Kept}
            systemctl daemon-reload
            systemctl enable -q kubelet
            """);
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>Installs, lets happen what the layout says and makes it good, reboots, uninstalls: all of it while kubelet asks.</summary>
    private async Task Live(string layout, string unit, string program)
    {
        var one = Layout.Read(layout);
        await Become(one, unit, program);
        await Node.Run("image-cri-shim install --yes");
        await Calls(unit, "unix:///var/run/image-cri-shim.sock");
        (await Node.Try("image-cri-shim check")).ShouldEndWith("exit code 0");
        foreach (var (what, script) in one.Events)
        {
            await Node.Run($"cd /\n{script}");
            var check = await Node.Try("image-cri-shim check");
            if (!(await Told(unit)).Contains("image-cri-shim", StringComparison.Ordinal))
                check.ShouldEndWith("exit code 1", customMessage: what);
            (await Node.Try("image-cri-shim install --yes")).ShouldEndWith("exit code 0", customMessage: what);
            await Calls(unit, "unix:///var/run/image-cri-shim.sock");
        }

        await ShouldAlwaysHaveBeenAnswered(unit);
        await Node.Reboot();
        await Calls(unit, "unix:///var/run/image-cri-shim.sock");
        await Node.Run($"touch {Kept}"); // containerd may start later than kubelet
        (await Node.Try("image-cri-shim uninstall --yes")).ShouldEndWith("exit code 0");
        (await Told(unit)).ShouldNotContain("image-cri-shim");
        await Node.Run($"systemctl daemon-reload && systemctl restart {unit}");
        (await Told(unit)).ShouldNotContain("image-cri-shim");
        await ShouldAlwaysHaveBeenAnswered(unit);
    }

    /// <summary>Makes the node one of the layout, which runs.</summary>
    private async Task Become(Layout layout, string unit, string program)
    {
        await Node.Run($"""
            image-cri-shim uninstall --yes
            systemctl disable -q --now kubelet
            mkdir -p {Kept}/etc/systemd/system {Kept}/var/lib {Kept}/usr/bin
            mv /etc/systemd/system/kubelet.service {Kept}/etc/systemd/system/
            mv /var/lib/kubelet {Kept}/var/lib/
            mv /usr/bin/kubelet {Kept}/usr/bin/
            echo 'L /run/k3s/containerd/containerd.sock - - - - /run/containerd/containerd.sock' >/etc/tmpfiles.d/rke2.conf
            systemd-tmpfiles --create /etc/tmpfiles.d/rke2.conf
            """);
        var files = new List<(string Path, string Text)>();
        layout.WriteTo((path, text) => files.Add((path, text)), (_, _) => { });
        foreach (var (path, text) in files.Append((program, Program)))
        {
            await Node.Run($"mkdir -p {Path.GetDirectoryName(path)}");
            await Node.Write(path, text);
        }

        var run = unit == "kubelet" ? "/run" : "/run/k3s";
        await Node.Write("/etc/image-cri-shim.yaml", $"{DebianNode.Settings}cri: {run}/containerd/containerd.sock\n");
        await Node.Run($"chmod 755 {program} && systemctl daemon-reload && systemctl enable -q --now {unit}");
    }

    /// <summary>Waits until the kubelet that runs now is answered there.</summary>
    private Task Calls(string unit, string endpoint) => Until($"{Now(unit)} | grep -qx 'is answered on {endpoint}'");

    /// <summary>What the kubelet that runs now was told.</summary>
    private async Task<string> Told(string unit)
    {
        await Until($"{Now(unit)} | grep -q '^is answered'");
        return await Node.Run($"{Now(unit)} | grep '^calls'");
    }

    private async Task ShouldAlwaysHaveBeenAnswered(string unit) =>
        (await Node.Run($"journalctl -q -o cat --since=@$(stat -c %Y {Kept}) -u {unit} | grep nobody || true")).ShouldBe("");

    private static string Now(string unit) => $"journalctl -q -b -o cat -u {unit} _PID=$(systemctl show --value -p MainPID {unit})";
}
