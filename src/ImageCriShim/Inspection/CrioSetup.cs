using System.Text.Json;
using ImageCriShim.Configuration;

namespace ImageCriShim.Inspection;

/// <summary>CRI-O: <c>crio.conf</c> and <c>registries.conf</c> (containers-registries.conf(5)), each with a directory of files that add to it.</summary>
internal sealed class CrioSetup(JsonElement? told, NodeRoot root) : RuntimeSetup
{
    private const string Config = "/etc/crio/crio.conf";
    private const string Registries = "/etc/containers/registries.conf";
    private const string Restart = "systemctl restart crio";

    public override string? PauseImage => Text(told, "sandboxImage") is { Length: > 0 } image ? image
        : Files(Config).Select(file => file.Table("crio", "image")?.Text("pause_image")).FirstOrDefault(image => !string.IsNullOrEmpty(image));

    public override string Place => root.At(Config);

    public override IEnumerable<Remedy> SetPauseImage(string image) =>
        [Remedy.Write(root.At($"{Config}.d/99-pause-image.conf"), $"[crio.image]\npause_image = \"{image}\""), Remedy.Run(Restart)];

    public override IEnumerable<Remedy> Admit(RegistryNeeds needs)
    {
        var certificates = $"/etc/containers/certs.d/{needs.Host}";
        if (IsInsecure(needs.Host) || (needs.HasCa && new[] { certificates, $"/etc/docker/certs.d/{needs.Host}" }.Any(directory => root.List(directory, "*.crt").Count > 0)))
            return [];
        return needs.HasCa
            ? [Remedy.Run(needs.InstallCa($"{root.At(certificates)}/ca.crt"))]
            : [Remedy.Write(root.At($"{Registries}.d/{needs.Host.Replace(':', '-')}.conf"), $"[[registry]]\nlocation = \"{needs.Host}\"\ninsecure = true"), Remedy.Run("systemctl reload crio")];
    }

    /// <summary>TLS is tried first even where it need not be.</summary>
    public override IReadOnlyList<string> PlacesOf(string host) => IsInsecure(host) ? [$"https://{host}", $"http://{host}"] : [$"https://{host}"];

    private bool IsInsecure(string host) =>
        Files(Registries).SelectMany(file => file.Tables("registry")).Any(registry => registry.IsTrue("insecure") && IsFor(registry, host))
        || Files(Config).Any(file => file.Table("crio", "image")?.Texts("insecure_registries").Contains(host) == true);

    private static bool IsFor(TomlTable registry, string host) => (registry.Text("prefix") ?? registry.Text("location")) is { } location && location.Split('/')[0] == host;

    /// <summary>What counts most comes first.</summary>
    private IEnumerable<TomlTable> Files(string path) =>
        root.List($"{path}.d", "*.conf").Reverse().Append(path).Select(file => TomlParser.Parse(root.Read(file) ?? "", out _)).OfType<TomlTable>();
}
