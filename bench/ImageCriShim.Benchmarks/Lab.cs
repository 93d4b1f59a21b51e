using System.Net;
using System.Net.Sockets;

namespace ImageCriShim.Benchmarks;

/// <summary>The real containerd and the registries, by the words of lab/lab.</summary>
internal sealed class Lab(string root, string directory, CancellationToken cancellation)
{
    /// <summary>containerd has it as <see cref="Candidate"/> only.</summary>
    internal const string KnownAsCandidate = "renamed:1";

    private const string Containerd = "1.7";
    private const string Hub = "hub.lab.test";
    private const string Origin = "origin.lab.test";

    internal string Root { get; } = root;

    internal string Directory { get; } = directory;

    /// <summary>The offline registry.</summary>
    internal string HubAddress { get; } = $"{Hub}:{FreePort()}";

    /// <summary>A registry that speaks TLS and holds nothing.</summary>
    internal string SecureAddress { get; } = $"{Hub}:{FreePort()}";

    internal string Authority => $"{Directory}/tls/ca.crt";

    /// <summary>containerd has it by this very name, which the shim would also look for at the hub.</summary>
    internal string KnownAsGiven => $"{Origin}:{HubAddress.Split(':')[1]}/library/given:1";

    internal string Candidate => $"{HubAddress}/library/{KnownAsCandidate}";

    /// <returns>containerd's socket.</returns>
    internal async Task<string> Start()
    {
        var port = HubAddress.Split(':')[1];
        await Say("name", Directory, Hub);
        await Say("name", Directory, Origin);
        await Say("registry", "start", Directory, "hub", port);
        await Say("registry", "start", Directory, "secure", SecureAddress.Split(':')[1], "--tls");
        await Say("image", $"{Directory}/image", "1", "bench");
        await Say("image", $"{Directory}/given", "1", "given");
        await Say("push", $"{Directory}/given:1", $"{HubAddress}/library/given:1");
        await Say("push", $"{Directory}/image:1", Candidate);
        var socket = await Say(
            "containerd", "start", Directory, Containerd, "unused.lab.test/pause:1", $"http://{HubAddress}", $"http://{Origin}:{port}");
        await Say("cri", socket, "pull", KnownAsGiven);
        await Say("cri", socket, "pull", Candidate);
        return socket;
    }

    /// <summary>One more containerd, with that many images, all of the hub.</summary>
    /// <returns>Its socket.</returns>
    internal async Task<string> StartWithImages(int count)
    {
        var name = $"containerd-{count}";
        var socket = await Say("containerd", "start", Directory, Containerd, "unused.lab.test/pause:1", "--as", name, $"http://{HubAddress}");
        var archive = $"{Directory}/{name}.tar";
        ManyImages.Write(archive, $"{Cache}/base-layer.tar.gz", count, i => $"{HubAddress}/library/listed-{i}");
        var ctr = $"{Cache}/containerd-{Containerd}/usr/bin/ctr";
        await Command.Run(ctr, ["--address", socket, "--namespace", "k8s.io", "images", "import", "--no-unpack", archive], cancellation);
        File.Delete(archive);
        return socket;
    }

    private static string Cache => Environment.GetEnvironmentVariable("IMAGE_CRI_SHIM_LAB") ?? throw new BenchException("IMAGE_CRI_SHIM_LAB is not set");

    private Task<string> Say(params string[] words) => Command.Run($"{Root}/lab/lab", words, cancellation);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
