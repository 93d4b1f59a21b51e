using System.Text.Json;
using ImageCriShim.Configuration;

namespace ImageCriShim.Inspection;

/// <summary>
/// containerd's CRI plugin: <c>config.toml</c> of version 2 (containerd 1.x) or 3 (2.x), and the <c>hosts.toml</c> of each registry below its
/// <c>config_path</c> (containerd, docs/hosts.md and docs/cri/config.md).
/// </summary>
internal sealed class ContainerdSetup : RuntimeSetup
{
    private const string DefaultFile = "/etc/containerd/config.toml";
    private const string DefaultHosts = "/etc/containerd/certs.d";
    private const string Restart = "systemctl restart containerd";

    private readonly NodeRoot _root;
    private readonly string _file;
    private readonly Version _version;
    private readonly ContainerdConfig _config;
    private readonly JsonElement? _told; // by 1.x; 2.x tells nothing of images

    private ContainerdSetup(NodeRoot root, string file, Version version, JsonElement? told)
    {
        (_root, _file, _version, _told) = (root, file, version, told);
        _config = ContainerdConfig.Read(root, file, usual: version.Major < 2 ? 2 : 3);
    }

    public static ContainerdSetup Find(RuntimeAnswers runtime, JsonElement? told, NodeRoot root, string[] arguments)
    {
        var flag = Array.FindIndex(arguments, argument => argument is "--config" or "-c");
        var file = flag >= 0 && flag + 1 < arguments.Length ? arguments[flag + 1] : DefaultFile;
        var number = runtime.Version.TrimStart('v').Split('-', '+', '~')[0];
        return new ContainerdSetup(root, file, System.Version.TryParse(number, out var version) ? version : new Version(2, 0), told);
    }

    public override string? PauseImage => Text(_told, "sandboxImage") is { Length: > 0 } image ? image : _config.PauseImage ?? DefaultPauseImage;

    public override string Place => _root.At(_file);

    public override IEnumerable<Remedy> SetPauseImage(string image) => [.. _config.Set(_config.PauseTable, _config.PauseKey, image), Remedy.Run(Restart)];

    public override IEnumerable<Remedy> Admit(RegistryNeeds needs)
    {
        if (needs is { IsPlain: true, IsLoopback: true })
            return [];
        var directories = HostsDirectories;
        var hosts = new ContainerdHosts(_root, directories.Count > 0 ? directories : [DefaultHosts]);
        if (directories.Count > 0 ? hosts.Admit(needs) : _config.Admits(needs))
            return [];
        // Two directories, as 2.2 has by default, are not read by every release of it.
        Remedy[] point = directories.Count == 1 ? [] : [.. _config.Set(_config.RegistryTable, "config_path", DefaultHosts), Remedy.Run(Restart)];
        return [hosts.Write(needs), .. point];
    }

    public override IReadOnlyList<string> PlacesOf(string host)
    {
        var directories = HostsDirectories;
        var told = directories.Count > 0 ? new ContainerdHosts(_root, directories).PlacesOf(host) : [.. _config.Mirrors(host)];
        var itself = new RegistryNeeds(host, IsPlain: true, [], false);
        return told.Count > 0 ? told : [itself.IsLoopback ? itself.Url : $"https://{host}"];
    }

    /// <summary>None where registries are configured in the old way, in <c>config.toml</c> itself.</summary>
    private IReadOnlyList<string> HostsDirectories =>
        (Text(Child(_told, "registry"), "configPath") is { Length: > 0 } told ? told : _config.HostsPath ?? DefaultHostsPath).Split(':', StringSplitOptions.RemoveEmptyEntries);

    private string DefaultHostsPath => _version >= new Version(2, 2) ? $"{DefaultHosts}:/etc/docker/certs.d" : "";

    /// <summary>Of releases that do not tell; null of those that are not known.</summary>
    private string? DefaultPauseImage => _version switch
    {
        { Major: 2, Minor: 0 or 1 } => "registry.k8s.io/pause:3.10",
        { Major: 2, Minor: 2 } => "registry.k8s.io/pause:3.10.1",
        _ => null,
    };
}
