using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace ImageCriShim.Registries.Connecting;

/// <summary>Speaks TLS as the settings of a registry say: whom it believes, and what it shows of itself.</summary>
internal sealed class TlsClient(TlsSettings settings)
{
    private readonly ServerCertificate _server = new(settings);
    private readonly SslStreamCertificateContext? _own = settings.LoadCertificate() is { } certificate
        ? SslStreamCertificateContext.Create(certificate, settings.LoadCertificateChain(), offline: true)
        : null;

    /// <param name="host">The name that the server has to prove; null: whoever uses them sets it.</param>
    public SslClientAuthenticationOptions OptionsFor(string? host) => new()
    {
        TargetHost = host,
        RemoteCertificateValidationCallback = _server.Verify,
        CertificateChainPolicy = Unchecked(),
        ClientCertificateContext = _own,
    };

    /// <summary>Keeps the framework from looking anything up, in the system or on the network: <see cref="ServerCertificate"/> decides.</summary>
    public static X509ChainPolicy Unchecked() => new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        RevocationMode = X509RevocationMode.NoCheck,
        DisableCertificateDownloads = true,
    };
}
