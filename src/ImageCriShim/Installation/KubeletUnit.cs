using System.Text.RegularExpressions;

namespace ImageCriShim.Installation;

/// <summary>The unit that runs this node's kubelet.</summary>
/// <param name="Distribution">Whose program kubelet is a part of; null where it is one of its own.</param>
internal sealed partial record KubeletUnit(string Name, RancherDistribution? Distribution)
{
    public const string OfKubelet = "kubelet.service";

    /// <summary>
    /// Finds the one that is active, else the one that is enabled, else any: RKE2 lays down a server and an agent on every node, and leftovers
    /// of another distribution may lie about.
    /// </summary>
    public static KubeletUnit Find(NodeFiles files, SystemdUnits units, Systemd systemd)
    {
        var installed = Installed(files, units).ToList();
        return installed.Find(service => systemd.IsActive(service.Name)) ?? installed.Find(service => units.IsEnabled(service.Name))
            ?? installed.FirstOrDefault() ?? Expected(files);
    }

    private static IEnumerable<KubeletUnit> Installed(NodeFiles files, SystemdUnits units)
    {
        foreach (var distribution in RancherDistribution.All)
        {
            foreach (var unit in units.List($"{distribution.Program}*.service"))
            {
                if (Runs(TextEdit.Read(files, units.Find(unit)!).Text, distribution.Program))
                    yield return new KubeletUnit(unit, distribution);
            }
        }

        if (units.Find(OfKubelet) is not null)
            yield return new KubeletUnit(OfKubelet, null);
    }

    /// <summary>Of an image in which there is no unit yet.</summary>
    private static KubeletUnit Expected(NodeFiles files)
    {
        var distribution = RancherDistribution.All.FirstOrDefault(one => files.HasDirectory(one.Directory));
        return new KubeletUnit(distribution?.Services[0] ?? OfKubelet, distribution);
    }

    /// <summary>INSTALL_K3S_NAME gives the unit another name, so that what it runs is looked at.</summary>
    private static bool Runs(string unit, string program) =>
        Command().Matches(unit).Any(match => Path.GetFileName(match.Groups["program"].Value) == program);

    [GeneratedRegex(@"^[ \t]*ExecStart=[@:+!-]*(?<program>[^\s\\]+)[\s\\]+['""]?(?:server|agent)\b", RegexOptions.Multiline)]
    private static partial Regex Command();
}
