using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ImageCriShim.Inspection;

/// <summary>docker behind cri-dockerd: <c>daemon.json</c>, and a flag of cri-dockerd for the pause image.</summary>
internal sealed class DockerSetup(JsonElement? told, NodeRoot root, string[] arguments) : RuntimeSetup
{
    private const string Config = "/etc/docker/daemon.json";
    private const string Insecure = "insecure-registries";
    private const string PauseFlag = "--pod-infra-container-image";
    private const string DropIn = "/etc/systemd/system/cri-docker.service.d/pause-image.conf";

    private static readonly string[] s_units = [DropIn, "/etc/systemd/system/cri-docker.service", "/usr/lib/systemd/system/cri-docker.service", "/lib/systemd/system/cri-docker.service"];

    public override string? PauseImage => Text(told, "sandboxImage") is { Length: > 0 } image ? image : FlagIn(arguments) ?? s_units.Select(FlagIn).FirstOrDefault(flag => flag is not null);

    public override string Place => root.At(Config);

    public override IEnumerable<Remedy> SetPauseImage(string image) =>
    [
        Remedy.Write(root.At(DropIn), $"[Service]\nExecStart=\nExecStart=/usr/bin/cri-dockerd --container-runtime-endpoint fd:// {PauseFlag}={image}"),
        Remedy.Run("systemctl daemon-reload && systemctl restart cri-docker"),
    ];

    public override IEnumerable<Remedy> Admit(RegistryNeeds needs)
    {
        var certificates = $"/etc/docker/certs.d/{needs.Host}";
        var config = Parse(root.Read(Config));
        if (needs is { IsPlain: true, IsLoopback: true } || IsInsecure(config, needs.Host) || (needs.HasCa && root.List(certificates, "*.crt").Count > 0))
            return [];
        return needs.HasCa
            ? [Remedy.Run(needs.InstallCa($"{root.At(certificates)}/ca.crt"))]
            : [Remedy.Write(root.At(Config), WithInsecure(config ?? [], needs.Host)), Remedy.Run("systemctl reload docker")];
    }

    public override IReadOnlyList<string> PlacesOf(string host) =>
        IsInsecure(Parse(root.Read(Config)), host) || new RegistryNeeds(host, IsPlain: true, [], false).IsLoopback ? [$"https://{host}", $"http://{host}"] : [$"https://{host}"];

    private static bool IsInsecure(JsonObject? config, string host) =>
        config?[Insecure] is JsonArray list && list.Any(entry => entry is JsonValue value && value.TryGetValue<string>(out var known) && known == host);

    private static string WithInsecure(JsonObject config, string host)
    {
        if (config[Insecure] is not JsonArray list)
            config[Insecure] = list = [];
        list.Add((JsonNode)host);
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            config.WriteTo(json);
        return System.Text.Encoding.UTF8.GetString(bytes.ToArray());
    }

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

    private string? FlagIn(string unit) => root.Read(unit) is { } text ? FlagIn(text.Split([' ', '\n', '\t', '"'], StringSplitOptions.RemoveEmptyEntries)) : null;

    private static string? FlagIn(string[] words)
    {
        var at = Array.FindLastIndex(words, word => word == PauseFlag || word.StartsWith($"{PauseFlag}=", StringComparison.Ordinal));
        if (at < 0)
            return null;
        return words[at] == PauseFlag ? words.ElementAtOrDefault(at + 1) : words[at][(PauseFlag.Length + 1)..];
    }
}
