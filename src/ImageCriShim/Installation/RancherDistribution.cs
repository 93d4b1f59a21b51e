namespace ImageCriShim.Installation;

/// <summary>A Kubernetes whose kubelet is part of one program with one file of settings: k3s and RKE2.</summary>
/// <param name="Directory">Of its settings.</param>
/// <param name="Services">One of which is the node's, as server or as agent.</param>
internal sealed record RancherDistribution(string Directory, IReadOnlyList<string> Services)
{
    /// <summary>The containerd that they bring with them.</summary>
    public const string Containerd = "/run/k3s/containerd/containerd.sock";

    /// <summary>The cri-dockerd that k3s brings for <c>docker: true</c>.</summary>
    public const string CriDockerd = "/run/k3s/cri-dockerd/cri-dockerd.sock";

    public static readonly IReadOnlyList<RancherDistribution> All =
    [
        new("/etc/rancher/k3s", ["k3s.service", "k3s-agent.service"]),
        new("/etc/rancher/rke2", ["rke2-server.service", "rke2-agent.service"]),
    ];

    public string ConfigFile => $"{Directory}/config.yaml";

    public string DropIns => $"{Directory}/config.yaml.d";
}
