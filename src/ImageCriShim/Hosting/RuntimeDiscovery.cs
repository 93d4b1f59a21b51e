using ImageCriShim.Relay;

namespace ImageCriShim.Hosting;

/// <summary>Finds the runtime's socket where the configuration does not name it.</summary>
internal static class RuntimeDiscovery
{
    /// <summary>kubeadm's list (cmd/kubeadm/app/constants), in its order.</summary>
    internal static readonly IReadOnlyList<string> WellKnown =
    [
        "/run/containerd/containerd.sock",
        "/run/crio/crio.sock",
        "/run/cri-dockerd.sock",
    ];

    /// <returns>The socket, or null and what is wrong.</returns>
    internal static string? Find(IReadOnlyList<string> candidates, TimeProvider time, out string problem)
    {
        var present = candidates.Where(path => FileIdentity.Find(path) is { IsSocket: true }).ToList();
        // A file may have been left behind by a runtime that is gone; one that answers counts for more.
        var live = present.Where(path => Answers(path, time)).ToList();
        var found = live.Count > 0 ? live : present;
        problem = found.Count switch
        {
            0 => $"cri: no container runtime's socket was found ({string.Join(", ", candidates)}); name it",
            1 => "",
            _ => $"cri: several container runtimes were found ({string.Join(", ", found)}); name one",
        };
        return found.Count == 1 ? found[0] : null;
    }

    private static bool Answers(string path, TimeProvider time) => new RuntimeSocket(path, time).WhyAway() is null;
}
