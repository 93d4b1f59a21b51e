using ImageCriShim.Configuration;
using ImageCriShim.Installation;
using ImageCriShim.Registries;

namespace ImageCriShim.Inspection;

/// <summary>May others read what only root should: settings with secrets in them, and files of secrets that they name?</summary>
internal static class SecretsLook
{
    private const string What = "secrets";

    private static readonly string[] s_fileKeys = ["passwordFile", "identityTokenFile", "registryTokenFile", "dockerConfig", "tls.key"];

    // Of what is public, but must be there.
    private static readonly string[] s_otherFileKeys = ["tls.ca", "tls.cert"];
    private static readonly string[] s_fileOrDirectoryKeys = ["credentialProvider.config"];

    /// <param name="configPath">Of the config file, whose drop-ins are looked at as well.</param>
    /// <param name="settings">What it comes to.</param>
    /// <param name="origins">Where its values stand.</param>
    public static IReadOnlyList<Finding> Look(string configPath, ShimSettings settings, Origins origins)
    {
        var files = DropIns.Find(configPath, out _).Prepend(configPath).Where(HoldsSecrets).Select(file => (File: file, Why: "holds secrets"))
            .Concat(Named(settings, origins, s_fileKeys)).DistinctBy(secret => secret.File);
        return OrOk([.. files.Where(secret => ConfigFile.IsOpenToAll(secret.File)).Select(secret => Open(secret, secret.File))]);
    }

    /// <summary>The same in an image, which need not have its secrets yet.</summary>
    /// <param name="files">Of the image.</param>
    /// <param name="config">What its config file comes to.</param>
    /// <param name="settings">Of it.</param>
    /// <param name="origins">Where its values stand.</param>
    public static IReadOnlyList<Finding> Look(NodeFiles files, ConfigResult config, ShimSettings settings, Origins origins)
    {
        var image = new ImageConfig(files);
        var secrets = config.OpenToAll.Select(file => (File: file, Why: "holds secrets"))
            .Concat(Named(settings, origins, s_fileKeys).Where(secret => image.IsOpenToAll(secret.File))).DistinctBy(secret => secret.File);
        var missing = Named(settings, origins, [.. s_fileKeys, .. s_otherFileKeys]).Where(named => !image.Has(named.File))
            .Concat(Named(settings, origins, s_fileOrDirectoryKeys).Where(named => !image.HasFileOrDirectory(named.File)))
            .DistinctBy(named => named.File);
        return
        [
            .. OrOk([.. secrets.Select(secret => Open(secret, files.NameOf(secret.File)))]),
            .. missing.Select(named => Finding.Warning(What, $"{named.File} {named.Why} and is not in the image", Remedy.Do("see to it that it is there when the node starts"))),
        ];
    }

    private static Finding Open((string File, string Why) secret, string place) =>
        Finding.Problem(What, $"{place} {secret.Why} and may be read by everybody on this machine", Remedy.Run($"chmod 600 {place}"));

    private static IReadOnlyList<Finding> OrOk(IReadOnlyList<Finding> open) => open.Count > 0 ? open : [Finding.Ok(What, "are not for everybody to read")];

    private static bool HoldsSecrets(string file) => YamlFile.Read(file, new ConfigReport(file)) is { } map && SecretKeys.AreIn(map);

    private static IEnumerable<(string File, string Why)> Named(ShimSettings settings, Origins origins, IReadOnlyList<string> keys) =>
        from registry in settings.Registries
        from key in keys
        let origin = origins.Find(At(registry), key)
        where origin is { Text.Length: > 0 }
        from file in origin.Files
        select (file, $"is {key} of {registry.Host}");

    private static string At(Registry registry) => registry.IsOffline ? "" : registry.Place;
}
