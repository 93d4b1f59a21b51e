using ImageCriShim.Configuration;
using ImageCriShim.Registries;

namespace ImageCriShim.Inspection;

/// <summary>May others read what only root should: settings with secrets in them, and files of secrets that they name?</summary>
internal static class SecretsLook
{
    private const string What = "secrets";

    private static readonly string[] s_fileKeys = ["passwordFile", "identityTokenFile", "registryTokenFile", "dockerConfig", "tls.key"];

    /// <param name="configPath">Of the config file, whose drop-ins are looked at as well.</param>
    /// <param name="settings">What it comes to.</param>
    /// <param name="origins">Where its values stand.</param>
    public static IReadOnlyList<Finding> Look(string configPath, ShimSettings settings, Origins origins)
    {
        var files = DropIns.Find(configPath, out _).Prepend(configPath).Where(HoldsSecrets).Select(file => (File: file, Why: "holds secrets"))
            .Concat(Named(settings, origins)).DistinctBy(secret => secret.File);
        List<Finding> open = [.. files.Where(secret => ConfigFile.IsOpenToAll(secret.File)).Select(secret => Finding.Problem(
            What, $"{secret.File} {secret.Why} and may be read by everybody on this machine", Remedy.Run($"chmod 600 {secret.File}")))];
        return open.Count > 0 ? open : [Finding.Ok(What, "are not for everybody to read")];
    }

    private static bool HoldsSecrets(string file) => YamlFile.Read(file, new ConfigReport(file)) is { } map && SecretKeys.AreIn(map);

    private static IEnumerable<(string File, string Why)> Named(ShimSettings settings, Origins origins) =>
        from registry in settings.Registries
        from key in s_fileKeys
        let origin = origins.Find(At(registry), key)
        where origin is { Text.Length: > 0 }
        select (origin.Text, $"is {key} of {registry.Host}");

    private static string At(Registry registry) => registry.IsOffline ? "" : $"{registry.Address}";
}
