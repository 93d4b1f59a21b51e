using System.Text.Json;
using ImageCriShim.Configuration;
using ImageCriShim.Registries;

namespace ImageCriShim.Inspection;

/// <summary>
/// CRI-O: <c>crio.conf</c> and <c>registries.conf</c> (containers-registries.conf(5)), each with a directory of files that add to it, and the
/// policies of signatures that <c>crio.conf</c> names.
/// </summary>
internal sealed class CrioSetup : RuntimeSetup
{
    private const string Config = "/etc/crio/crio.conf";
    private const string Registries = "/etc/containers/registries.conf";
    private const string Restart = "systemctl restart crio";

    private readonly JsonElement? _told;
    private readonly NodeRoot _root;
    private readonly string _version;
    private readonly IReadOnlyList<TomlTable> _config; // what counts most comes first
    private readonly RegistriesConf _registries = new();
    private readonly List<Finding> _unreadable = [];

    public CrioSetup(RuntimeAnswers runtime, JsonElement? told, NodeRoot root)
    {
        (_told, _root, _version) = (told, root, runtime.Version);
        _config = [.. Files(Config).Select(file => file.Table).Reverse()];
        foreach (var (file, table) in Files(Registries))
            _registries.Add(file, table);
    }

    public override string? PauseImage => Text(_told, "sandboxImage") is { Length: > 0 } image ? image
        : _config.Select(file => file.Table("crio", "image")?.Text("pause_image")).FirstOrDefault(image => !string.IsNullOrEmpty(image));

    public override string Place => _root.At(Config);

    public override IEnumerable<Finding> Look(IReadOnlyList<Registry> registries) =>
    [
        .. _unreadable,
        .. new CrioRegistriesLook(_registries, _root.At($"{Registries}.d")).Look(registries),
        .. new CrioPolicyLook(_config, _version, _root).Look(registries),
    ];

    public override IEnumerable<Remedy> SetPauseImage(string image) =>
        [Remedy.Write(_root.At($"{Config}.d/99-pause-image.conf"), $"[crio.image]\npause_image = \"{image}\""), Remedy.Run(Restart)];

    public override IEnumerable<Remedy> Admit(RegistryNeeds needs)
    {
        var certificates = $"/etc/containers/certs.d/{needs.Host}";
        if (IsInsecure(needs.Host) || (needs.HasCa && new[] { certificates, $"/etc/docker/certs.d/{needs.Host}" }.Any(directory => _root.List(directory, "*.crt").Count > 0)))
            return [];
        return needs.HasCa
            ? [Remedy.Run(needs.InstallCa($"{_root.At(certificates)}/ca.crt"))]
            : [Remedy.Write(_root.At($"{Registries}.d/{needs.Host.Replace(':', '-')}.conf"), $"[[registry]]\nlocation = \"{needs.Host}\"\ninsecure = true"), Remedy.Run("systemctl reload crio")];
    }

    public override IReadOnlyList<string> PlacesOf(string host)
    {
        if (_registries.Find(host) is not { } entry)
            return Urls(host, IsInsecure(host));
        var mirrors = entry.Mirrors.SelectMany(mirror => Urls(mirror.Location, mirror.IsInsecure));
        return entry.IsBlocked ? [] : [.. mirrors, .. Urls(entry.Location ?? host, IsInsecure(host))];
    }

    /// <summary>TLS is tried first even where it need not be.</summary>
    private static string[] Urls(string place, bool isInsecure) =>
        isInsecure ? [$"https://{place}", $"http://{place}"] : [$"https://{place}"];

    private bool IsInsecure(string host) =>
        _registries.Entries.Any(entry => entry.IsInsecure && entry.IsOfHost(host))
        || _config.Any(file => file.Table("crio", "image")?.Texts("insecure_registries").Contains(host) == true);

    /// <summary>What counts most comes last.</summary>
    private List<(string File, TomlTable Table)> Files(string path)
    {
        var files = new List<(string File, TomlTable Table)>();
        foreach (var file in _root.List($"{path}.d", "*.conf").Prepend(path))
        {
            var place = _root.At(file);
            if (TomlParser.Parse(_root.Read(file) ?? "", out var problem) is { } table)
                files.Add((place, table));
            else
                _unreadable.Add(Finding.Problem($"cri-o's {Path.GetFileName(path)}", $"{place} is no TOML: {problem}", Remedy.Do($"mend {place}")));
        }

        return files;
    }
}
