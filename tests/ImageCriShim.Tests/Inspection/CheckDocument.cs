using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Inspection;

/// <summary>docs/CHECK.md shows what is printed; of a good node <see cref="Checking"/> holds it to that.</summary>
public sealed class CheckDocument : NodeTest
{
    private static readonly string s_document = File.ReadAllText(Path.Combine(Repository.Root, "docs/CHECK.md"));

    [Fact]
    public async Task Shows_a_bad_node()
    {
        Node.Hub.Behave = request => request.Authorization is null ? null : new FakeAnswer(401) { Headers = { ["Date"] = PreparedNode.HttpDate(DateTimeOffset.UtcNow.AddHours(1)) } };
        Node.Configure($"address: http://{PreparedNode.HubName}\nauth: admin:{PreparedNode.Password}\n");
        File.SetUnixFileMode(Node.ConfigPath, File.GetUnixFileMode(Node.ConfigPath) | UnixFileMode.OtherRead);
        Directory.Delete(Node.FileOf("/etc/containerd/certs.d"), recursive: true);
        Node.Runtime.Images.Clear();
        Node.WriteFile("/var/lib/kubelet/kubeadm-flags.env", "KUBELET_KUBEADM_ARGS=\"--container-runtime-endpoint=unix:///run/containerd/containerd.sock\"\n");
        File.Delete(Node.FileOf("/etc/crictl.yaml"));
        await ShouldStandThere();
    }

    private async Task ShouldStandThere() => ShouldHold(Node.Print(await Node.Look())
        .Replace("ROOT", "").Replace("DIR/cri.sock", "/run/containerd/containerd.sock").Replace("DIR/shim.sock", "/var/run/image-cri-shim.sock")
        .Replace("DIR/image-cri-shim.yaml", "/etc/image-cri-shim.yaml").Replace("PROXY", "10.0.0.1:3128"));

    internal static void ShouldHold(string printed)
    {
        var block = string.Concat(printed.TrimEnd('\n').Split('\n').Select(line => line.Length == 0 ? "\n" : $"    {line}\n"));
        s_document.Contains(block).ShouldBeTrue($"docs/CHECK.md should hold, if this is right:\n{block}");
    }
}
