using System.Text.RegularExpressions;

namespace ImageCriShim.Installation;

/// <summary>Kubernetes distributions on which <c>install</c> changes nothing, with what the operator can do there instead.</summary>
/// <param name="Name">Of the distribution.</param>
/// <param name="Advice">One or more sentences.</param>
internal sealed partial record UnsupportedNode(string Name, string Advice)
{
    private const string Socket = "unix:///var/run/image-cri-shim.sock";

    private static readonly UnsupportedNode s_talos = new(
        "Talos", "its system is read-only and runs no foreign services; "
        + "name your registry in the machine configuration: machine.registries.mirrors and machine.registries.config");

    private static readonly UnsupportedNode s_bottlerocket = new(
        "Bottlerocket", "its system is read-only and runs no foreign services; "
        + "name your registry in its settings: settings.container-registry.mirrors and settings.container-registry.credentials");

    private static readonly UnsupportedNode s_microk8s = new(
        "MicroK8s", "write cri: /var/snap/microk8s/common/run/containerd.sock into /etc/image-cri-shim.yaml, "
        + $"start image-cri-shim by its units, write --container-runtime-endpoint={Socket} into /var/snap/microk8s/current/args/kubelet, and run: snap restart microk8s.daemon-kubelite");

    private static readonly UnsupportedNode s_k0s = new(
        "k0s", "write cri: /run/k0s/containerd.sock into /etc/image-cri-shim.yaml, start image-cri-shim by its units, "
        + $"add --kubelet-extra-args=--container-runtime-endpoint={Socket} to the command of k0sworker.service (k0scontroller.service), "
        + "and restart that");

    public string Problem => $"install does not support {Name}: {Advice}";

    /// <returns>Null where it is supported, or nothing is known of it.</returns>
    /// <param name="hasKubelet">Whether there is a kubelet that is supported.</param>
    public static UnsupportedNode? Find(NodeFiles files, bool hasKubelet)
    {
        var system = Array.Find((string[])["/etc/os-release", "/usr/lib/os-release"], files.HasFile) is { } release
            ? Id().Match(TextEdit.Read(files, release).Text).Groups["id"].Value
            : "";
        if (system is "talos" or "bottlerocket")
            return system == "talos" ? s_talos : s_bottlerocket;
        if (hasKubelet)
            return null;
        if (files.HasDirectory("/var/snap/microk8s"))
            return s_microk8s;
        var units = new SystemdUnits(files);
        var isK0s = files.HasDirectory("/var/lib/k0s") || units.Find("k0sworker.service") is not null || units.Find("k0scontroller.service") is not null;
        return isK0s ? s_k0s : null;
    }

    [GeneratedRegex("""^ID=["']?(?<id>[a-z0-9._-]+)""", RegexOptions.Multiline)]
    private static partial Regex Id();
}
