namespace ImageCriShim.Configuration;

/// <summary>What <c>registries.conf</c> and its drop-ins come to (version 2, containers-registries.conf(5)).</summary>
internal sealed class RegistriesConf
{
    public const string SearchKey = "unqualified-search-registries";

    private const string ModeKey = "short-name-mode";

    private readonly Dictionary<string, RegistriesEntry> _entries = [];

    /// <summary>One for each prefix.</summary>
    public IReadOnlyCollection<RegistriesEntry> Entries => _entries.Values;

    /// <summary>Where names without a host are looked for.</summary>
    public IReadOnlyList<string> Search { get; private set; } = [];

    /// <summary>The file that says so, and the line; empty where none does.</summary>
    public (string File, int Line) SearchPlace { get; private set; } = ("", 0);

    /// <summary>Whether several of <see cref="Search"/> are an error for a program without a terminal.</summary>
    public bool IsEnforcing { get; private set; }

    /// <summary>Adds a file, which counts more than those before it.</summary>
    public void Add(string file, TomlTable top)
    {
        foreach (var registry in top.Tables("registry"))
        {
            if ((registry.Text("prefix") ?? registry.Text("location"))?.TrimEnd('/') is { Length: > 0 } prefix)
                _entries[prefix] = new RegistriesEntry(prefix, file, registry); // what comes later replaces all of it
        }

        if (top.Has(SearchKey))
            (Search, SearchPlace) = (top.Texts(SearchKey), (file, top.LineOf(SearchKey)));
        if (top.Text(ModeKey) is { Length: > 0 } mode)
            IsEnforcing = mode == "enforcing";
    }

    /// <summary>The one that is for images of that name, which is the longest.</summary>
    /// <param name="name">In full, or the beginning of names up to a slash.</param>
    public RegistriesEntry? Find(string name) => Entries.Where(entry => entry.IsFor(name)).MaxBy(entry => entry.Prefix.Length);
}

/// <summary>A table <c>[[registry]]</c>.</summary>
/// <param name="Prefix">Of the names of images that it is for.</param>
/// <param name="File">In which it stands.</param>
internal sealed record RegistriesEntry(string Prefix, string File, TomlTable Table)
{
    private const string Subdomains = "*.";

    public bool IsBlocked => Table.IsTrue("blocked");

    /// <summary>Plain http, or any certificate.</summary>
    public bool IsInsecure => Table.IsTrue("insecure");

    /// <summary>Where these images really are; null where that is where their names say.</summary>
    public string? Location => FindElsewhere(Table);

    /// <summary>Where they are asked for first, and whether by plain http or with any certificate.</summary>
    public IEnumerable<(string Location, bool IsInsecure)> Mirrors =>
        from mirror in Table.Tables("mirror")
        let location = FindElsewhere(mirror)
        where location is not null
        select (location, mirror.IsTrue("insecure"));

    public bool IsOfHost(string host) => Prefix.Split('/')[0] == host;

    /// <param name="name">In full, or the beginning of names up to a slash.</param>
    public bool IsFor(string name) => Prefix.StartsWith(Subdomains, StringComparison.Ordinal)
        ? name.Split('/', ':')[0].EndsWith(Prefix[1..], StringComparison.Ordinal)
        : name.StartsWith(Prefix, StringComparison.Ordinal) && (name.Length == Prefix.Length || name[Prefix.Length] is '/' or ':' or '@');

    private string? FindElsewhere(TomlTable told) =>
        told.Text("location")?.TrimEnd('/') is { Length: > 0 } location && location != Prefix ? location : null;
}
