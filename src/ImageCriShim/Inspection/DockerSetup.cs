using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using ImageCriShim.Images;
using ImageCriShim.Registries;

namespace ImageCriShim.Inspection;

/// <summary>docker behind cri-dockerd: what it says itself, <c>daemon.json</c> where it cannot be asked, and flags of cri-dockerd.</summary>
internal sealed class DockerSetup : RuntimeSetup
{
    private const string Config = "/etc/docker/daemon.json";
    private const string Insecure = "insecure-registries";
    private const string PauseFlag = "--pod-infra-container-image";
    private const string EndpointFlag = "--docker-endpoint";
    private const string DefaultEndpoint = "unix:///var/run/docker.sock";
    private const string DropIn = "/etc/systemd/system/cri-docker.service.d/pause-image.conf";
    private const string What = "docker";

    private static readonly string[] s_units =
        [DropIn, .. new[] { "/etc", "/usr/lib", "/lib" }.Select(directory => $"{directory}/systemd/system/cri-docker.service")];

    private readonly JsonElement? _told; // by cri-dockerd
    private readonly NodeRoot _root;
    private readonly string[] _arguments;
    private readonly JsonObject? _config;
    private readonly string _endpoint;
    private DockerInfo? _info;
    private string _whyNot = "";

    private DockerSetup(JsonElement? told, NodeRoot root, string[] arguments)
    {
        (_told, _root, _arguments, _config) = (told, root, arguments, Parse(root.Read(Config)));
        _endpoint = Flag(EndpointFlag) ?? DefaultEndpoint;
    }

    public static async Task<DockerSetup> Find(
        JsonElement? told, NodeRoot root, string[] arguments, TimeSpan patience, CancellationToken cancellation)
    {
        var setup = new DockerSetup(told, root, arguments);
        (setup._info, setup._whyNot) = await DockerInfo.Ask(setup._endpoint, root, patience, cancellation);
        return setup;
    }

    public override string? PauseImage => Text(_told, "sandboxImage") is { Length: > 0 } image ? image : Flag(PauseFlag);

    public override string Place => _root.At(Config);

    public override IEnumerable<Finding> Look(IReadOnlyList<Registry> registries)
    {
        if (_info is { } info)
        {
            var told = $"insecure registries: {List(info.Insecure)}; mirrors of Docker Hub: {List(info.Mirrors)}";
            yield return Finding.Ok(What, $"{Socket} is docker {info.Version} with {info.Store}; {told}");
            yield break;
        }

        var remedy = !IsUnix ? Remedy.Do("look whether docker info lists the registries there as insecure")
            : _whyNot.StartsWith("permission", StringComparison.Ordinal) ? Remedy.Do("run check as root")
            : Remedy.Run("systemctl start docker");
        yield return Finding.Warning(
            What, $"cannot be asked at {Socket}: {_whyNot}; {_root.At(Config)} is read instead, which may not be what docker was started with", remedy);
    }

    public override IEnumerable<Remedy> SetPauseImage(string image) =>
    [
        Remedy.Write(_root.At(DropIn), $"[Service]\nExecStart=\nExecStart=/usr/bin/cri-dockerd --container-runtime-endpoint fd:// {PauseFlag}={image}"),
        Remedy.Run("systemctl daemon-reload && systemctl restart cri-docker"),
    ];

    public override IEnumerable<Remedy> Admit(RegistryNeeds needs)
    {
        var certificates = $"/etc/docker/certs.d/{needs.Host}";
        if (needs is { IsPlain: true, IsLoopback: true } || IsInsecure(needs.Host) || (needs.HasCa && _root.List(certificates, "*.crt").Count > 0))
            return [];
        if (needs.HasCa)
            return [Remedy.Run(needs.InstallCa($"{_root.At(certificates)}/ca.crt"))];
        if (IsListed(needs.Host))
            return [Remedy.Run("systemctl reload docker")]; // it has not read it yet
        if (HasFlags)
            return [Remedy.Do($"add --insecure-registry={needs.Host} to dockerd's command line, where the others stand, and restart docker")];
        return [Remedy.Write(_root.At(Config), WithInsecure(_config ?? [], needs.Host)), Remedy.Run("systemctl reload docker")];
    }

    public override IReadOnlyList<string> PlacesOf(string host)
    {
        var isPlain = IsInsecure(host) || new RegistryNeeds(host, IsPlain: true, [], false).IsLoopback;
        string[] itself = isPlain ? [$"https://{host}", $"http://{host}"] : [$"https://{host}"];
        return host == Reference.DockerHub ? [.. _info?.Mirrors.Select(mirror => mirror.TrimEnd('/')) ?? [], .. itself] : itself;
    }

    private bool IsUnix => _endpoint.StartsWith(DockerInfo.Unix, StringComparison.Ordinal);

    private string Socket => IsUnix ? _root.At(_endpoint[DockerInfo.Unix.Length..]) : _endpoint;

    private bool IsInsecure(string host) => _info is { } info ? info.Allows(host, name => AddressesOf(name, info)) : IsListed(host);

    private bool IsListed(string host) =>
        _config?[Insecure] is JsonArray list && list.Any(entry => entry is JsonValue value && value.TryGetValue<string>(out var known) && known == host);

    /// <summary>It knows of hosts that its file does not name. With the same in both it does not start.</summary>
    private bool HasFlags => _info?.Hosts.Any(host => !host.Value && !IsListed(host.Key)) == true;

    /// <summary>A name server is asked only where the answer could matter: loopback's names stand in a file.</summary>
    private IEnumerable<IPAddress> AddressesOf(string name, DockerInfo info)
    {
        if (IPAddress.TryParse(name, out var literal))
            return [literal];
        var lines = (_root.Read("/etc/hosts") ?? "").Split('\n')
            .Select(line => line.Split('#')[0].Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries));
        var written = lines.Where(words => words.Skip(1).Contains(name, StringComparer.OrdinalIgnoreCase))
            .Select(words => IPAddress.TryParse(words[0], out var address) ? address : null);
        if (written.OfType<IPAddress>().ToList() is { Count: > 0 } found)
            return found;
        return info.Networks.Any(network => !IPAddress.IsLoopback(network.BaseAddress)) ? LookUp(name) : [];
    }

    private static IPAddress[] LookUp(string name)
    {
        try
        {
            return Dns.GetHostAddresses(name);
        }
        catch (SocketException)
        {
            return [];
        }
    }

    private static string WithInsecure(JsonObject config, string host)
    {
        var changed = config.DeepClone().AsObject();
        if (changed[Insecure] is not JsonArray list)
            changed[Insecure] = list = [];
        list.Add((JsonNode)host);
        return JsonText.Format(json => changed.WriteTo(json)).TrimEnd('\n');
    }

    private static string List(IEnumerable<string> texts) => texts.ToList() is { Count: > 0 } list ? string.Join(", ", list) : "none";

    private static JsonObject? Parse(string? text)
    {
        try
        {
            return text is null ? null : JsonNode.Parse(text) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Of cri-dockerd: as it runs, or as it will be started.</summary>
    private string? Flag(string name) =>
        FlagIn(_arguments, name) ?? s_units.Select(unit => FlagIn(_root.Read(unit) ?? "", name)).FirstOrDefault(flag => flag is not null);

    private static string? FlagIn(string unit, string name) =>
        FlagIn(unit.Split([' ', '\n', '\t', '"'], StringSplitOptions.RemoveEmptyEntries), name);

    private static string? FlagIn(string[] words, string name)
    {
        var at = Array.FindLastIndex(words, word => word == name || word.StartsWith($"{name}=", StringComparison.Ordinal));
        if (at < 0)
            return null;
        return words[at] == name ? words.ElementAtOrDefault(at + 1) : words[at][(name.Length + 1)..];
    }
}
