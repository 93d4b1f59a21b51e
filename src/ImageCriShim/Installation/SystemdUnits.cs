namespace ImageCriShim.Installation;

/// <summary>Where systemd finds units and their drop-ins (systemd.unit(5)).</summary>
internal sealed class SystemdUnits(NodeFiles files)
{
    /// <summary>The operator's, which win.</summary>
    public const string Own = "/etc/systemd/system";

    /// <summary>Those of packages.</summary>
    public static readonly IReadOnlyList<string> OfPackages = ["/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];

    private const string Masked = "/dev/null";

    private static readonly string[] s_notOurs = ["/run/systemd/system", .. OfPackages];
    private static readonly string[] s_all = [Own, .. s_notOurs];

    /// <returns>The file that is in force; null for none, and of a unit that is masked.</returns>
    public string? Find(string unit) =>
        s_all.Select(directory => $"{directory}/{unit}").FirstOrDefault(path => files.HasFile(path) || IsMasked(path)) is { } found && !IsMasked(found)
            ? found
            : null;

    /// <summary>The names of the units that match, such as <c>k3s*.service</c>.</summary>
    public IEnumerable<string> List(string pattern) =>
        s_all.SelectMany(directory => files.List(directory, pattern)).Select(path => Path.GetFileName(path)).Distinct()
            .Order(StringComparer.Ordinal).Where(unit => Find(unit) is not null);

    /// <summary>Whether systemd starts it with the node.</summary>
    public bool IsEnabled(string unit) => s_all
        .SelectMany(directory => files.ListDirectories(directory, "*.wants").Concat(files.ListDirectories(directory, "*.requires")))
        .Any(directory => !files.Read(files.ResolveParent($"{directory}/{unit}")).IsAbsent);

    /// <summary>The unit and its drop-ins, in the order in which they are read; what comes later wins.</summary>
    public IEnumerable<string> Sources(string unit)
    {
        var dropIns = from directory in s_all
                      from file in files.List($"{directory}/{unit}.d", "*.conf")
                      group file by Path.GetFileName(file) into sameName
                      orderby sameName.Key
                      where !IsMasked(sameName.First())
                      select sameName.First();
        return Find(unit) is { } whole ? dropIns.Prepend(whole) : dropIns;
    }

    public static bool IsUnit(string path) => s_all.Any(directory => path.StartsWith($"{directory}/", StringComparison.Ordinal));

    /// <summary>Whether somebody else writes it anew: a package, or whatever made it for this boot.</summary>
    public static bool IsOfAPackage(string path) => s_notOurs.Any(directory => path.StartsWith($"{directory}/", StringComparison.Ordinal));

    private bool IsMasked(string path) => files.Resolve(path) == Masked;
}
