using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ImageCriShim.Registries;

/// <summary>
/// How a registry proves who it is, and how we do. Holds PEM texts, not paths: settings are complete once loaded, and a
/// replaced certificate makes different settings. <see cref="Key"/> is a secret, so the text form shows none of them.
/// </summary>
internal sealed record TlsSettings
{
    public static readonly TlsSettings Default = new();

    /// <summary>Certificates of authorities trusted besides the system's; null: the system's only.</summary>
    public string? Ca { get; init; }

    /// <summary>Our own certificate, for registries that ask for one, and its key.</summary>
    public string? Certificate { get; init; }
    public string? Key { get; init; }

    public bool InsecureSkipVerify { get; init; }

    /// <summary>
    /// What applies to another host that the registry redirects to: it may share the private authority, but our certificate
    /// and the decision not to verify were meant for the registry alone.
    /// </summary>
    public TlsSettings ForOtherHosts => new() { Ca = Ca };

    /// <summary>A certificate that cannot be read is left out; the settings' warnings name it.</summary>
    public X509Certificate2Collection LoadCa() => Ca is null ? [] : PemCertificates.Read(Ca).Certificates;

    /// <exception cref="CryptographicException">The texts are not PEM, or the key is not the certificate's.</exception>
    /// <exception cref="ArgumentException">The same, from the framework's PEM reader.</exception>
    /// <exception cref="PlatformNotSupportedException">The key is of a kind that OpenSSL lacks here.</exception>
    public X509Certificate2? LoadCertificate() =>
        Certificate is null ? null : X509Certificate2.CreateFromPem(Certificate, Key ?? Certificate);

    /// <summary>The certificates behind ours in the same file, which the registry may need to believe it.</summary>
    public X509Certificate2Collection LoadCertificateChain()
    {
        var chain = Certificate is null ? [] : PemCertificates.Read(Certificate).Certificates;
        if (chain.Count > 0)
            chain.RemoveAt(0);
        return chain;
    }

    public override string ToString() =>
        $"ca: {(Ca is null ? "system" : "own")}, certificate: {(Certificate is null ? "none" : "own")}, "
        + $"insecureSkipVerify: {(InsecureSkipVerify ? "true" : "false")}";
}
