namespace ImageCriShim.Installation;

/// <summary>Where systemd finds units and their drop-ins (systemd.unit(5)).</summary>
internal sealed class SystemdUnits(NodeFiles files)
{
    /// <summary>The operator's, which win.</summary>
    public const string Own = "/etc/systemd/system";

    /// <summary>Those of packages.</summary>
    public static readonly IReadOnlyList<string> OfPackages = ["/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];

    private static readonly string[] s_all = [Own, .. OfPackages];

    /// <returns>The file that is in force; null for none.</returns>
    public string? Find(string unit) => s_all.Select(directory => $"{directory}/{unit}").FirstOrDefault(files.HasFile);

    /// <summary>The unit and its drop-ins, in the order in which they are read; what comes later wins.</summary>
    public IEnumerable<string> Sources(string unit)
    {
        var dropIns = from directory in s_all
                      from file in files.List($"{directory}/{unit}.d", "*.conf")
                      group file by Path.GetFileName(file) into sameName
                      orderby sameName.Key
                      select sameName.First();
        return Find(unit) is { } whole ? dropIns.Prepend(whole) : dropIns;
    }

    public static bool IsUnit(string path) => s_all.Any(directory => path.StartsWith($"{directory}/", StringComparison.Ordinal));

    public static bool IsOfAPackage(string path) => OfPackages.Any(directory => path.StartsWith($"{directory}/", StringComparison.Ordinal));
}
