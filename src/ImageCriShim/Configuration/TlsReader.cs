using System.Security.Cryptography;
using ImageCriShim.Registries;

namespace ImageCriShim.Configuration;

/// <summary>Reads <c>tls</c> of a registry and the files it names, which must be there and sound.</summary>
internal static class TlsReader
{
    private const string Allowed = "the absolute path of a PEM file";
    private const string Encrypted = "holds a key that is encrypted, and nobody is there to type its passphrase;"
        + " write it out without: openssl pkey -in KEY -out KEY.plain && chmod 0600 KEY.plain";
    private const int MaxFileBytes = 4 * 1024 * 1024; // the system's whole bundle of authorities is 200 KiB

    public static TlsSettings Read(YamlMap map, RegistryAddress? address)
    {
        var settings = new TlsSettings
        {
            Ca = ReadAuthorities(map),
            Certificate = ReadCertificates(map, "cert", map.Text("cert", Allowed), out _),
            Key = ReadFile(map, "key", map.Text("key", Allowed)),
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
        if (IsEncrypted(settings.Key ?? settings.Certificate))
        {
            map.Problem(settings.Key is null ? "cert" : "key", Encrypted);
            return settings with { Certificate = null, Key = null };
        }
        if (settings.Certificate is not null && !IsSound(() => settings.LoadCertificate() is not null))
        {
            map.Problem("cert", "holds no certificate in PEM form, or key does not belong to it; use " + Allowed);
            settings = settings with { Certificate = null };
        }
        return settings;
    }

    /// <summary>Of PKCS #8 by its label (RFC 7468 section 11), of older forms by a header (RFC 1421 section 4.6.1.1).</summary>
    private static bool IsEncrypted(string? pem) => pem is not null
        && (pem.Contains("-----BEGIN ENCRYPTED PRIVATE KEY-----", StringComparison.Ordinal) || pem.Contains("Proc-Type: 4,ENCRYPTED", StringComparison.Ordinal));

    /// <summary>Of one file, or of a list of files one after the other.</summary>
    private static string? ReadAuthorities(YamlMap map)
    {
        const string Key = "ca";
        if (!map.IsList(Key))
            return ReadCertificates(map, Key, map.Text(Key, Allowed), out _);
        var texts = new List<string>();
        foreach (var path in map.Texts(Key, Allowed))
        {
            if (ReadCertificates(map, Key, path, out var count) is not { } text)
                continue;
            if (count == 0)
                map.Problem(Key, $"{path} holds no certificate in PEM form; use {Allowed}");
            else
                texts.Add(text);
        }

        return texts.Count == 0 ? null : string.Join('\n', texts);
    }

    /// <summary>Warns of blocks that cannot be read, which runtimes pass over without a word.</summary>
    private static string? ReadCertificates(YamlMap map, string key, string? path, out int count)
    {
        const int Most = 8; // a file of another form is a bad block from beginning to end
        count = 0;
        if (ReadFile(map, key, path) is not { } text)
            return null;
        var read = PemCertificates.Read(text);
        count = read.Certificates.Count;
        foreach (var line in count == 0 ? [] : read.BadLines.Take(Most))
            map.Warning(key, $"line {line} of {path} begins a certificate that cannot be read; the others are used");
        return text;
    }

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
        catch (Exception e) when (e is CryptographicException or ArgumentException or NotSupportedException) // the last: a key on a curve that OpenSSL lacks
        {
            return false;
        }
    }
}
