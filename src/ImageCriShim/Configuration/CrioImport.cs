using ImageCriShim.Images;
using ImageCriShim.Registries;

namespace ImageCriShim.Configuration;

/// <summary>Mirrors as CRI-O has them in <c>registries.conf</c>, version 2, and its drop-ins (containers-registries.conf(5)).</summary>
internal static class CrioImport
{
    private const string Helpers = "credential-helpers";
    private const string HelperOfFiles = "containers-auth.json";

    /// <param name="path">Of the file, whose drop-ins lie in a directory beside it, or of that directory.</param>
    public static void Add(ImportedOrigins origins, string path, ConfigReport report)
    {
        var (conf, places) = (new RegistriesConf(), new Dictionary<string, ImportedPlace>());
        foreach (var file in FilesOf(path))
        {
            if (ImportedFiles.ReadToml(file, report) is not { } top)
                continue;
            conf.Add(file, top);
            places[file] = new ImportedPlace(report.For(Path.GetFileName(file)), 0) { Path = file };
            TellOthers(top, places[file]);
        }

        foreach (var entry in conf.Entries)
            Add(origins, entry, places[entry.File].At(entry.Table.Line, "registry"), conf.Entries);
        if (conf.Search.Any(host => host != Reference.DockerHub))
        {
            places[conf.SearchPlace.File].At(conf.SearchPlace.Line, RegistriesConf.SearchKey)
                .Loss("names without a host are Docker Hub's here, and are looked for nowhere else");
        }
    }

    private static IEnumerable<string> FilesOf(string path)
    {
        var isDirectory = Directory.Exists(path);
        var directory = isDirectory ? path : $"{path}.d";
        IEnumerable<string> dropIns = Directory.Exists(directory) ? Directory.EnumerateFiles(directory, "*.conf").Order(StringComparer.Ordinal) : [];
        return isDirectory ? dropIns : dropIns.Prepend(path);
    }

    private static void Add(ImportedOrigins origins, RegistriesEntry entry, ImportedPlace place, IEnumerable<RegistriesEntry> entries)
    {
        var (prefix, registry) = (entry.Prefix, entry.Table);
        if (entry.IsBlocked)
        {
            if (entries.Any(other => new ImportedOrigin(other.Prefix, []).IsWithin(prefix)))
                place.Loss($"{prefix} is blocked, but not all within it, which block cannot say");
            origins.Block.Add(prefix);
            return;
        }

        var digestOnly = registry.IsTrue("mirror-by-digest-only");
        var endpoints = registry.Tables("mirror").Select(mirror => Read(mirror, prefix, place.At(mirror.Line, "mirror"), digestOnly))
            .Append(Read(registry, prefix, place, digestOnly: false)).OfType<ImportedEndpoint>();
        origins.Add(new ImportedOrigin(prefix, [.. endpoints]));
    }

    /// <returns>Null for the origin itself, from which images come as given, and where no location stands.</returns>
    private static ImportedEndpoint? Read(TomlTable told, string prefix, ImportedPlace place, bool digestOnly)
    {
        var location = told.Text("location")?.TrimEnd('/');
        if (string.IsNullOrEmpty(location) || location == prefix)
            return null;
        var (host, path) = location.Split('/', 2) is [var first, var rest] ? (first, rest) : (location, "");
        if (told.IsTrue("insecure"))
        {
            place.At(told.LineOf("insecure"), "insecure").Loss(
                $"CRI-O tries https at {host} without looking at certificates, and then plain http: if it speaks plain http, write http:// into the address");
        }

        return new ImportedEndpoint(Uri.UriSchemeHttps, host, place)
        {
            Repository = path,
            Path = prefix.Contains('/') ? ImportedRegistry.RestOfRepository : ImportedRegistry.WholeRepository,
            InsecureSkipVerify = told.IsTrue("insecure"),
            PullFromMirror = (told.Text("pull-from-mirror"), digestOnly) switch
            {
                ("digest-only", _) or (_, true) => PullFromMirror.DigestOnly,
                ("tag-only", _) => PullFromMirror.TagOnly,
                _ => PullFromMirror.All,
            },
        };
    }

    private static void TellOthers(TomlTable top, ImportedPlace place)
    {
        if (top.Has("registries"))
            place.At(top.LineOf("registries"), "registries").Loss("is of version 1, which is not imported");
        if (top.Texts(Helpers).Any(helper => helper != HelperOfFiles))
            place.At(top.LineOf(Helpers), Helpers).Loss("are not carried over: a registry may refuse without (dockerConfig names a file that names helpers)");
        var aliases = top.Table("aliases");
        if ((aliases?.Keys ?? []).Any(name => !IsOfDockerHub(name, aliases!.Text(name))))
            place.At(aliases!.Line, "aliases").Loss("names without a host are Docker Hub's here, whatever an alias says");
    }

    private static bool IsOfDockerHub(string name, string? alias) =>
        Reference.TryParse(name, out var given) && Reference.TryParse(alias ?? "", out var meant) && given.Name == meant.Name;
}
