using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ImageCriShim.Registries;

/// <summary>
/// The certificates of a PEM file (RFC 7468), read as Go reads them, which is what runtimes do: what is no certificate is passed over, and a block
/// that cannot be read costs that block alone.
/// </summary>
/// <param name="Certificates">In their order.</param>
/// <param name="BadLines">Where blocks begin that cannot be read, counted from 1.</param>
internal sealed record PemCertificates(X509Certificate2Collection Certificates, ImmutableArray<int> BadLines)
{
    private const string Begin = "-----BEGIN CERTIFICATE-----";
    private const string End = "-----END CERTIFICATE-----";
    private const string AnyBegin = "-----BEGIN ";

    public static PemCertificates Read(string text)
    {
        var (certificates, badLines) = (new X509Certificate2Collection(), ImmutableArray.CreateBuilder<int>());
        var lines = text.AsSpan().EnumerateLines();
        var (number, start, body) = (0, 0, new List<string>());
        foreach (var rest in lines)
        {
            number++;
            var line = rest.Trim();
            var isInside = start > 0;
            if (isInside && line.SequenceEqual(End))
            {
                if (Parse(body) is { } certificate)
                    certificates.Add(certificate);
                else
                    badLines.Add(start);
                start = 0;
            }
            else if (line.StartsWith(AnyBegin))
            {
                if (isInside)
                    badLines.Add(start); // it has no end
                start = line.StartsWith(Begin) ? number : 0;
                body = line.Length > Begin.Length ? [line[Begin.Length..].ToString()] : [];
            }
            else if (isInside)
            {
                body.Add(line.ToString());
            }
        }
        if (start > 0)
            badLines.Add(start);
        return new PemCertificates(certificates, badLines.DrainToImmutable());
    }

    private static X509Certificate2? Parse(List<string> body)
    {
        try
        {
            return X509CertificateLoader.LoadCertificate(Convert.FromBase64String(string.Concat(body)));
        }
        catch (Exception e) when (e is FormatException or CryptographicException)
        {
            return null;
        }
    }
}
