using System.Security.Cryptography;
using ImageCriShim.Registries;

namespace ImageCriShim.Configuration;

/// <summary>Reads <c>tls</c> of a registry and the files it names, which must be there and sound.</summary>
internal static class TlsReader
{
    private const string Allowed = "the absolute path of a PEM file";
    private const int MaxFileBytes = 4 * 1024 * 1024; // the system's whole bundle of authorities is 200 KiB

    public static TlsSettings Read(YamlMap map, RegistryAddress? address)
    {
        var settings = new TlsSettings
        {
            Ca = ReadFiles(map, "ca"),
            Certificate = ReadFile(map, "cert"),
            Key = ReadFile(map, "key"),
            InsecureSkipVerify = map.Flag("insecureSkipVerify"),
        };
        map.RefuseOthers();
        if (settings != TlsSettings.Default && address?.IsHttps == false)
            map.Report.Warning(map.Path, map.Line, "is not used, because the address says http://");
        return WithSoundParts(map, settings);
    }

    private static TlsSettings WithSoundParts(YamlMap map, TlsSettings settings)
    {
        if (settings.Ca is not null && !IsSound(() => settings.LoadCa().Count > 0))
        {
            map.Problem("ca", "holds no certificate in PEM form; use " + Allowed);
            settings = settings with { Ca = null };
        }
        if (settings.Key is not null && settings.Certificate is null || map.Report.ImageHas is not null && map.Has("key") && !map.Has("cert"))
            map.Problem("key", "stands there without cert; use both");
        if (settings.Certificate is not null && !IsSound(() => settings.LoadCertificate() is not null))
        {
            map.Problem("cert", "holds no certificate in PEM form, or key does not belong to it; use " + Allowed);
            settings = settings with { Certificate = null };
        }
        return settings;
    }

    /// <summary>Of one file, or of a list of files one after the other.</summary>
    private static string? ReadFiles(YamlMap map, string key)
    {
        if (!map.IsList(key))
            return ReadFile(map, key, map.Text(key, Allowed));
        var texts = map.Texts(key, Allowed).Select(path => ReadFile(map, key, path)).OfType<string>().ToList();
        return texts.Count == 0 ? null : string.Join('\n', texts);
    }

    private static string? ReadFile(YamlMap map, string key) => ReadFile(map, key, map.Text(key, Allowed));

    private static string? ReadFile(YamlMap map, string key, string? path)
    {
        if (string.IsNullOrEmpty(path))
            return null;
        try
        {
            if (!YamlValues.IsAbsolutePath(path))
                map.Refuse(key, path, $"is not an absolute path; use {Allowed}");
            else if (map.Report.ImageHas is not null)
                return null;
            else if (TextFile.Read(path, MaxFileBytes) is { } text)
                return text;
            else
                map.Problem(key, $"{path} is too large for a PEM file; use at most {MaxFileBytes / 1024 / 1024} MiB");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            map.Problem(key, $"{path} {YamlFile.WhyUnreadable(e)}; use {Allowed}");
        }
        return null;
    }

    private static bool IsSound(Func<bool> load)
    {
        try
        {
            return load();
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            return false;
        }
    }
}
