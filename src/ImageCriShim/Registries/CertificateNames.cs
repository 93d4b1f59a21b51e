using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ImageCriShim.Registries;

/// <summary>
/// For which hosts a certificate is, as Go's crypto/x509 (<c>Certificate.VerifyHostname</c>) decides it: by subject alternative names alone, never
/// by the Common Name, and with wildcards as the whole first label, also before a single one (<c>*.internal</c>).
/// </summary>
internal static class CertificateNames
{
    private const int Shown = 3; // the rest of a hosting provider's list helps nobody
    private const int LongestName = 253; // RFC 1035, section 2.3.4
    private const string OnlyCommonName = "its TLS certificate has its name only as CN";

    /// <returns>Why it is not for this host; null: it is.</returns>
    public static string? FindMismatch(X509Certificate2 certificate, string host)
    {
        try
        {
            var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault();
            if (names is null)
                return Without(certificate, host);
            var isFor = IPAddress.TryParse(host.Trim('[', ']'), out var address)
                ? names.EnumerateIPAddresses().Contains(address)
                : names.EnumerateDnsNames().Any(name => Matches(name, host));
            return isFor ? null : $"its TLS certificate is for {Describe(names)}";
        }
        catch (CryptographicException)
        {
            return "its TLS certificate has names that cannot be read";
        }
    }

    /// <summary>Whether that is the reason: no other name will help, the certificate has to be issued anew.</summary>
    public static bool IsAboutCommonName(string mismatch) => mismatch.StartsWith(OnlyCommonName, StringComparison.Ordinal);

    /// <summary>The name that a certificate for this host needs, as OpenSSL writes it.</summary>
    public static string Needed(string host) => $"{(IPAddress.TryParse(host.Trim('[', ']'), out _) ? "IP" : "DNS")}:{host}";

    /// <param name="pattern">A DNS name of the certificate.</param>
    /// <param name="host">In ASCII.</param>
    internal static bool Matches(string pattern, string host)
    {
        var name = host.EndsWith('.') ? host[..^1] : host;
        if (!IsHostName(name, mayBePattern: false) || !IsHostName(pattern, mayBePattern: true))
            return host.Length > 0 && host != "." && string.Equals(pattern, host, StringComparison.OrdinalIgnoreCase);
        var (wanted, labels) = (pattern.Split('.'), name.Split('.'));
        return wanted.Length == labels.Length && wanted.Zip(labels).Index().All(pair =>
            (pair is { Index: 0, Item.First: "*" }) || string.Equals(pair.Item.First, pair.Item.Second, StringComparison.OrdinalIgnoreCase));
    }

    private static bool IsHostName(string name, bool mayBePattern) => name is not ("" or "*") && name.Split('.').Index().All(label =>
        (mayBePattern && label is { Index: 0, Item: "*" }) || (label.Item.Length > 0 && label.Item[0] != '-' && label.Item.All(IsOfLabel)));

    /// <summary>The underscore is not allowed, and usual.</summary>
    private static bool IsOfLabel(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '_';

    private static string Without(X509Certificate2 certificate, string host) =>
        certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false) is { Length: > 0 } name && certificate.Subject.Contains("CN=", StringComparison.Ordinal)
            ? $"{OnlyCommonName}={PrintableText.Of(name, LongestName)}, which no runtime reads any more; it needs the subject alternative name {Needed(host)}"
            : "its TLS certificate is for no host name";

    private static string Describe(X509SubjectAlternativeNameExtension names)
    {
        var shown = names.EnumerateDnsNames().Concat(names.EnumerateIPAddresses().Select(ip => ip.ToString()))
            .Take(Shown)
            .Select(name => PrintableText.Of(name, LongestName))
            .ToList();
        return shown.Count == 0 ? "no host name" : string.Join(", ", shown);
    }
}
