using System.Text.RegularExpressions;
using ImageCriShim.Configuration;
using ImageCriShim.Hosting;

namespace ImageCriShim.Installation;

/// <summary>
/// Which runtime is behind us: the one that is called now. Where that is not said, the one whose socket is there; in an image, which has
/// no sockets, the one that is installed.
/// </summary>
internal sealed partial class RuntimeFinder(NodeFiles files, SystemdUnits units)
{
    private const string Containerd = "/run/containerd/containerd.sock";
    private const string Crio = "/run/crio/crio.sock";
    private const string CriDockerd = "/run/cri-dockerd.sock";
    private const string ContainerdConfig = "/etc/containerd/config.toml";

    /// <summary>The one that is called now; null where only we are, or nothing says.</summary>
    /// <param name="shim">Our socket.</param>
    /// <param name="called">What kubelet and crictl call, whoever counts more first.</param>
    public static string? FindCalled(string shim, IEnumerable<string?> called) =>
        called.FirstOrDefault(endpoint => endpoint is not null && !Endpoint.AreSame(endpoint, shim)) is { } endpoint ? Endpoint.PathOf(endpoint) : null;

    /// <summary>Whether the daemon, which looks for itself where nothing is said, would not know which to take.</summary>
    public bool AreSeveral(out string problem)
    {
        var isNone = files.IsThisMachine ? !RuntimeDiscovery.WellKnown.Any(File.Exists) : !Installed().Any();
        return Find(out problem) is null && !isNone;
    }

    /// <param name="problem">Why it is not known.</param>
    public string? Find(out string problem)
    {
        if (files.IsThisMachine)
            return RuntimeDiscovery.Find(RuntimeDiscovery.WellKnown, TimeProvider.System, out problem);
        var installed = Installed().ToList();
        problem = installed.Count switch
        {
            0 => "cri: no container runtime was found: neither kubelet nor crictl names one, and none is installed; name it",
            1 => "",
            _ => $"cri: several container runtimes were found ({string.Join(", ", installed)}); name one",
        };
        return installed.Count == 1 ? installed[0] : null;
    }

    private IEnumerable<string> Installed()
    {
        if (Has("cri-docker.service"))
            yield return CriDockerd;
        if (Has("crio.service"))
            yield return Crio;
        // Docker brings a containerd whose CRI is turned off.
        var config = files.HasFile(ContainerdConfig) ? TextEdit.Read(files, ContainerdConfig).Text : "";
        if ((config.Length > 0 || Has("containerd.service")) && !WithoutCri().IsMatch(config))
            yield return Address().Match(config) is { Success: true } address ? address.Groups[1].Value : Containerd;
    }

    private bool Has(string unit) => units.Find(unit) is not null;

    [GeneratedRegex(@"^[ \t]*disabled_plugins\s*=\s*\[[^\]]*""(?:io\.containerd\.grpc\.v1\.)?cri""", RegexOptions.Multiline)]
    private static partial Regex WithoutCri();

    [GeneratedRegex(@"^[ \t]*\[grpc\][^\[]*?^[ \t]*address\s*=\s*[""']([^""']+)[""']", RegexOptions.Multiline)]
    private static partial Regex Address();
}
