namespace ImageCriShim.Installation;

/// <summary>A Kubernetes whose kubelet is part of one program with one file of settings: k3s and RKE2.</summary>
/// <param name="Program">Its name, with which those of its units begin.</param>
/// <param name="Directory">Of its settings.</param>
/// <param name="Services">One of which is the node's, as server or as agent, unless the operator gave it another name.</param>
internal sealed record RancherDistribution(string Program, string Directory, IReadOnlyList<string> Services)
{
    /// <summary>The containerd that they bring with them.</summary>
    public const string Containerd = "/run/k3s/containerd/containerd.sock";

    /// <summary>The cri-dockerd that k3s brings for <c>docker: true</c>.</summary>
    public const string CriDockerd = "/run/k3s/cri-dockerd/cri-dockerd.sock";

    public static readonly IReadOnlyList<RancherDistribution> All =
    [
        new("k3s", "/etc/rancher/k3s", ["k3s.service", "k3s-agent.service"]),
        new("rke2", "/etc/rancher/rke2", ["rke2-server.service", "rke2-agent.service"]),
    ];

    /// <summary>Where no flag and no variable names another.</summary>
    public string ConfigFile => $"{Directory}/config.yaml";

    /// <summary>Which names another.</summary>
    public string ConfigVariable => $"{Program.ToUpperInvariant()}_CONFIG_FILE";
}
