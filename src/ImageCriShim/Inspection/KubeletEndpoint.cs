using System.Text.RegularExpressions;
using ImageCriShim.Configuration;

namespace ImageCriShim.Inspection;

/// <summary>
/// Where kubelet is told of a runtime's socket: by a flag, which counts more, or by a key of its config file. The files are those of kubeadm,
/// of distributions' packages, and of k3s and rke2, which have a kubelet in them.
/// </summary>
internal static partial class KubeletEndpoint
{
    public const string ConfigFile = "/var/lib/kubelet/config.yaml";
    public const string KubeadmFlags = "/var/lib/kubelet/kubeadm-flags.env";
    public const string DebianFlags = "/etc/default/kubelet";

    // kubeadm's unit has its flags, then those of the distribution's file (KUBELET_EXTRA_ARGS): the last of a flag counts.
    private static readonly string[] s_flagFiles = [DebianFlags, "/etc/sysconfig/kubelet", KubeadmFlags];

    private static readonly string[] s_unitDirectories = ["/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];

    private static readonly string[] s_rancher = ["k3s", "rke2"];

    /// <summary>Every line that names a socket, the one that counts most first.</summary>
    public static IReadOnlyList<EndpointLine> Find(NodeRoot root) =>
    [
        .. Files(root).SelectMany(file => Lines(root, file, Flag())),
        .. RancherFiles(root).SelectMany(file => Lines(root, file, RancherKey())),
        .. Lines(root, ConfigFile, ConfigKey()),
    ];

    /// <summary>Whether there is a kubelet at all.</summary>
    public static bool IsThere(NodeRoot root) => root.Has(ConfigFile) || root.Has("/usr/bin/kubelet") || Files(root).Any(root.Has) || RancherFiles(root).Count > 0;

    public static string? RancherConfig(NodeRoot root) => RancherFiles(root) is [var first, ..] ? first : null;

    /// <summary>What mends it has to be followed by this.</summary>
    public static string RestartCommand(NodeRoot root) =>
        s_rancher.FirstOrDefault(name => root.Has($"/etc/rancher/{name}/config.yaml")) is { } name ? $"systemctl restart {name}" : "systemctl restart kubelet";

    private static IEnumerable<string> Files(NodeRoot root) =>
    [
        .. s_flagFiles,
        .. s_unitDirectories.SelectMany(directory => root.Files($"{directory}/kubelet.service.d", "*.conf").Reverse()),
        .. s_unitDirectories.Select(directory => $"{directory}/kubelet.service"),
    ];

    private static List<string> RancherFiles(NodeRoot root) =>
    [
        .. s_rancher.SelectMany(name => root.Files($"/etc/rancher/{name}/config.yaml.d", "*.yaml").Reverse()),
        .. s_rancher.Select(name => $"/etc/rancher/{name}/config.yaml").Where(root.Has),
    ];

    private static IEnumerable<EndpointLine> Lines(NodeRoot root, string file, Regex pattern)
    {
        var lines = (root.Read(file) ?? "").Split('\n');
        for (var number = lines.Length; number > 0; number--) // of a flag that stands there twice the last one counts
        {
            var line = lines[number - 1].TrimEnd('\r');
            if (line.TrimStart().StartsWith('#'))
                continue;
            foreach (var match in pattern.Matches(line).Reverse())
                yield return new EndpointLine(root.At(file), number, line, match.Groups["socket"].Value, match.Groups["key"].Value.StartsWith("image", StringComparison.Ordinal));
        }
    }

    [GeneratedRegex(@"--(?<key>container-runtime-endpoint|image-service-endpoint)[=\s]+[""']?(?<socket>[^\s""']+)")]
    private static partial Regex Flag();

    [GeneratedRegex(@"\b(?<key>container-runtime-endpoint|image-service-endpoint)[""']?\s*[:=]\s*[""']?(?<socket>[^\s""',\]}]+)")]
    private static partial Regex RancherKey();

    [GeneratedRegex(@"^\s*[""']?(?<key>containerRuntimeEndpoint|imageServiceEndpoint)[""']?\s*:\s*[""']?(?<socket>[^\s""',}]+)")]
    private static partial Regex ConfigKey();
}

/// <summary>A line that names a socket.</summary>
/// <param name="File">Where it really is.</param>
/// <param name="Number">Counted from 1.</param>
/// <param name="Text">The whole line.</param>
/// <param name="Socket">As it stands there.</param>
/// <param name="IsForImages">Only calls about images go there.</param>
internal sealed record EndpointLine(string File, int Number, string Text, string Socket, bool IsForImages)
{
    public string Place => $"{File}:{Number}";

    public Remedy PointTo(string socket) => Remedy.Replace(File, Number, Text.Replace(Socket, Endpoint.Of(socket), StringComparison.Ordinal));
}
