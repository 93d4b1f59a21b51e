using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using ImageCriShim.Commands;
using ImageCriShim.Configuration;
using ImageCriShim.Inspection;
using ImageCriShim.Installation;
using ImageCriShim.Tests.Fakes;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Inspection;

/// <summary>
/// A node on which all is well but that the shim does not run: files below a directory, a runtime, and a registry, whose name only a proxy
/// knows. Tests spoil it.
/// </summary>
internal sealed partial class PreparedNode : IAsyncDisposable
{
    public const string HubName = "hub.corp:5000";
    public const string Pause = "registry.k8s.io/pause:3.9";
    public const string Password = "planted-check-77aa";

    public PreparedNode(FakeRegistry? hub = null)
    {
        Hub = hub ?? FakeRegistry.Start();
        Proxy.Hosts[HubName] = Hub.Port;
        Runtime = FakeRuntime.Start(Directory.File("cri.sock"));
        SpeakAs("containerd", "v2.1.0");
        Runtime.Images.Add(Pause);
        Configure($"address: http://{HubName}\n");
        WriteFile("/var/lib/kubelet/config.yaml", "kind: KubeletConfiguration\n");
        WriteFile("/var/lib/kubelet/kubeadm-flags.env", $"KUBELET_KUBEADM_ARGS=\"--container-runtime-endpoint=unix://{ShimSocket} --v=2\"\n");
        WriteFile("/etc/crictl.yaml", $"runtime-endpoint: unix://{ShimSocket}\nimage-endpoint: unix://{ShimSocket}\ntimeout: 10\n");
        WriteFile("/etc/containerd/config.toml", ContainerdConfig);
        WriteFile($"/etc/containerd/certs.d/{HubName}/hosts.toml", $"server = \"http://{HubName}\"\n");
    }

    public const string ContainerdConfig = $"""
        version = 3
        [plugins."io.containerd.cri.v1.images"]
          snapshotter = "overlayfs"
        [plugins."io.containerd.cri.v1.images".pinned_images]
          sandbox = "{Pause}"
        [plugins."io.containerd.cri.v1.images".registry]
          config_path = "/etc/containerd/certs.d"

        """;

    public TempDirectory Directory { get; } = new();

    public FakeRegistry Hub { get; }

    public FakeHttpProxy Proxy { get; } = FakeHttpProxy.Start();

    public FakeRuntime Runtime { get; }

    public TimeProvider Time { get; set; } = TimeProvider.System;

    public string ShimSocket => Directory.File("shim.sock");

    public string ConfigPath => Directory.File("image-cri-shim.yaml");

    public string Root => Directory.File("root");

    /// <summary>The whole config file but for the sockets.</summary>
    public void Configure(string yaml)
    {
        File.WriteAllText(ConfigPath, $"shim: {ShimSocket}\ncri: {Runtime.SocketPath}\nprobeTimeout: 20s\n{yaml}"); // a machine may be busy
        File.SetUnixFileMode(ConfigPath, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    public string FileOf(string path) => Root + path;

    public void WriteFile(string path, string text)
    {
        System.IO.Directory.CreateDirectory(Path.GetDirectoryName(FileOf(path))!);
        File.WriteAllText(FileOf(path), text);
    }

    public void SpeakAs(string name, string version)
    {
        foreach (var cri in (string[])["v1", "v1alpha2"])
            Runtime.On($"/runtime.{cri}.RuntimeService/Version", call => call.AnswerAsync(Message(Field(1, "0.1.0"), Field(2, name), Field(3, version), Field(4, cri))));
    }

    /// <summary>What a verbose Status has for <c>config</c>.</summary>
    public void TellConfig(string json) =>
        Runtime.On("/runtime.v1.RuntimeService/Status", call => call.AnswerAsync(Message(Field(1, Message()), Field(2, Message(Field(1, "config"), Field(2, json))))));

    public async Task<IReadOnlyList<Finding>> Look()
    {
        var origins = new Origins();
        var config = ConfigFile.Load(ConfigPath, origins);
        config.Problems.ShouldBeEmpty();
        var node = new NodeInspection(ConfigPath, config, origins, new NodeRoot(new NodeFiles(Root)), Time, name => name is "HTTP_PROXY" or "HTTPS_PROXY" ? $"http://{Proxy.Host}" : null);
        return await node.Look(TestContext.Current.CancellationToken);
    }

    /// <summary>What is printed of all that is not as it should be, but that the shim does not run.</summary>
    public async Task<string> Complaints() => Print((await Look()).Where(IsComplaint));

    /// <summary>Does literally what it says, line by line. Of commands only those that have to do with files: there is nothing else to restart here.</summary>
    public async Task Mend()
    {
        foreach (var remedy in (await Look()).Where(IsComplaint).SelectMany(finding => finding.Remedies))
            Follow(remedy);
    }

    public string Print(IEnumerable<Finding> findings) => Marks().Replace(Date().Replace(
        CheckText.Format([.. findings], hasColour: false).Replace(Proxy.Host, "PROXY").Replace(Root, "ROOT").Replace(Directory.Path, "DIR").Replace(Hub.Host, "HUB"), "DATE"), "# marks: MARKS");

    public async ValueTask DisposeAsync()
    {
        await Hub.DisposeAsync();
        await Proxy.DisposeAsync();
        await Runtime.DisposeAsync();
        Directory.Dispose();
    }

    private static bool IsComplaint(Finding finding) => finding.State is not FindingState.Ok && finding.What != "shim";

    private void Follow(Remedy remedy)
    {
        var lines = File.Exists(remedy.File) ? File.ReadAllLines(remedy.File).ToList() : [];
        switch (remedy.Kind)
        {
            case RemedyKind.Write:
                System.IO.Directory.CreateDirectory(Path.GetDirectoryName(remedy.File)!);
                lines = [remedy.Text];
                break;
            case RemedyKind.Replace:
                lines[remedy.Line - 1] = remedy.Text;
                break;
            case RemedyKind.Add:
                lines.Insert(remedy.Line == 0 ? lines.Count : remedy.Line, remedy.Text);
                break;
            default:
                Run(remedy.Text);
                return;
        }

        File.WriteAllLines(remedy.File, lines);
    }

    private void Run(string command)
    {
        if (command.StartsWith("crictl pull ", StringComparison.Ordinal))
            Runtime.Images.Add(command["crictl pull ".Length..]);
        else if (command.StartsWith("chmod ", StringComparison.Ordinal) || command.StartsWith("install ", StringComparison.Ordinal))
            Process.Start("/bin/sh", ["-c", command]).WaitForExit();
    }

    // Of what is copied, in which our socket's path stands.
    [GeneratedRegex("# marks: [0-9a-f ]+")]
    private static partial Regex Marks();

    [GeneratedRegex(@"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ")]
    private static partial Regex Date();

    /// <summary>As a registry sends it.</summary>
    public static string HttpDate(DateTimeOffset time) => time.ToString("r", CultureInfo.InvariantCulture);
}
