using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace ImageCriShim.Registries;

/// <summary>
/// Decides whether a registry's certificate is believed, and says in plain words why not. It decides as Go's crypto/x509 does, because the
/// runtime that pulls is a Go program: each certificate of the trusted ones ends a chain, be it an intermediate or the server's own; the names are
/// <see cref="CertificateNames"/>; the extended key usage, where one is stated, is for servers or for anything.
/// </summary>
internal sealed class ServerCertificate(TlsSettings tls)
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string AnyUsage = "2.5.29.37.0";

    /// <summary>MD2, MD5 and SHA-1, with RSA, DSA and ECDSA (RFC 3279, RFC 5758): crypto/x509 refuses them since Go 1.18.</summary>
    private static readonly string[] s_weakSignatures =
        ["1.2.840.113549.1.1.2", "1.2.840.113549.1.1.4", "1.2.840.113549.1.1.5", "1.2.840.10040.4.3", "1.2.840.10045.4.1"];

    private readonly X509Certificate2Collection _authorities = tls.LoadCa();

    /// <exception cref="UntrustedCertificateException">
    /// Instead of false: the framework's own text for a refused certificate does not say what is wrong with it.
    /// </exception>
    public bool Verify(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (tls.InsecureSkipVerify)
            return true;
        if (certificate is not X509Certificate2 shown || chain is null || errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable))
            throw new UntrustedCertificateException("it shows no TLS certificate");
        var host = sender is SslStream stream ? stream.TargetHostName : "";
        return FindFault(shown, chain.ChainPolicy.ExtraStore, host) is { } fault ? throw new UntrustedCertificateException(fault) : true;
    }

    /// <param name="shown">The server's own certificate.</param>
    /// <param name="sent">Those that it sent with it.</param>
    /// <param name="host">Whose it has to be.</param>
    /// <returns>Why it is not believed; null: it is.</returns>
    public string? FindFault(X509Certificate2 shown, X509Certificate2Collection sent, string host)
    {
        if (CertificateNames.FindMismatch(shown, host) is { } mismatch)
            return mismatch;
        if (_authorities.Count == 0)
            return FindSystemFault(shown, sent);
        using var chain = NewChain(sent, X509ChainTrustMode.CustomRootTrust, _authorities);
        return FindFault(chain, shown, _authorities) is { } fault && FindSystemFault(shown, sent) is not null ? fault : null;
    }

    /// <summary>What lies in the system's directories and is no root is trusted by Go as the roots are.</summary>
    private static string? FindSystemFault(X509Certificate2 shown, X509Certificate2Collection sent)
    {
        using var chain = NewChain(sent, X509ChainTrustMode.System, []);
        if (FindFault(chain, shown, []) is not { } fault)
            return null;
        using var store = new X509Store(StoreName.CertificateAuthority, StoreLocation.LocalMachine);
        store.Open(OpenFlags.ReadOnly);
        var intermediates = store.Certificates;
        if (intermediates.Count == 0)
            return fault;
        using var once = NewChain(sent, X509ChainTrustMode.System, intermediates);
        return FindFault(once, shown, intermediates) is null ? null : fault;
    }

    private static X509Chain NewChain(X509Certificate2Collection sent, X509ChainTrustMode trust, X509Certificate2Collection anchors)
    {
        var chain = new X509Chain
        {
            ChainPolicy =
            {
                TrustMode = trust,
                RevocationMode = X509RevocationMode.NoCheck, // an air-gapped node reaches no revocation list
                DisableCertificateDownloads = true,
            },
        };
        if (trust == X509ChainTrustMode.CustomRootTrust)
            chain.ChainPolicy.CustomTrustStore.AddRange(anchors);
        chain.ChainPolicy.ExtraStore.AddRange(anchors); // those that are no roots are found here
        chain.ChainPolicy.ExtraStore.AddRange(sent);
        return chain;
    }

    /// <summary>Walks up from the server's certificate to the first one that is trusted.</summary>
    private static string? FindFault(X509Chain chain, X509Certificate2 shown, X509Certificate2Collection anchors)
    {
        const X509ChainStatusFlags Unknown = X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain;
        var isRooted = chain.Build(shown);
        var faults = X509ChainStatusFlags.NoError;
        var isWeak = false;
        for (var i = 0; i < chain.ChainElements.Count; i++)
        {
            var element = chain.ChainElements[i];
            var own = FaultsOf(element);
            var isLast = i == chain.ChainElements.Count - 1;
            if (IsAnchor(element.Certificate, anchors, isServers: i == 0) || (isLast && (isRooted || (own & Unknown) == 0)))
            {
                faults |= own & ~(Unknown | X509ChainStatusFlags.NotSignatureValid); // who signed the anchor is nobody's business
                return Describe(faults, isWeak) ?? FindUsageFault(chain.ChainElements.Take(i + 1));
            }
            faults |= own & ~Unknown;
            isWeak |= s_weakSignatures.Contains(element.Certificate.SignatureAlgorithm.Value);
        }
        return Describe(faults | X509ChainStatusFlags.PartialChain, isWeak);
    }

    /// <summary>The time is looked at here, because OpenSSL does not for the last certificate of a chain that has no root.</summary>
    private static X509ChainStatusFlags FaultsOf(X509ChainElement element)
    {
        var now = DateTime.Now; // as the certificate's own times
        var isInTime = element.Certificate.NotBefore <= now && now <= element.Certificate.NotAfter;
        return element.ChainElementStatus.Aggregate(
            isInTime ? X509ChainStatusFlags.NoError : X509ChainStatusFlags.NotTimeValid, (all, status) => all | status.Status);
    }

    /// <summary>
    /// The server's own certificate must be the very one that is trusted. Above it the name and the key make an authority, which may have several
    /// certificates.
    /// </summary>
    private static bool IsAnchor(X509Certificate2 certificate, X509Certificate2Collection anchors, bool isServers) => anchors.Any(anchor =>
        certificate.RawDataMemory.Span.SequenceEqual(anchor.RawDataMemory.Span)
        || (!isServers && certificate.SubjectName.RawData.AsSpan().SequenceEqual(anchor.SubjectName.RawData)
            && certificate.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(anchor.PublicKey.ExportSubjectPublicKeyInfo())));

    private static string? FindUsageFault(IEnumerable<X509ChainElement> path)
    {
        var isForServers = path.All(element => element.Certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>()
            .All(usage => usage.EnhancedKeyUsages.Cast<System.Security.Cryptography.Oid>().Any(oid => oid.Value is ServerAuthentication or AnyUsage)));
        return isForServers ? null : "its TLS certificate is not for servers (extended key usage)";
    }

    private static string? Describe(X509ChainStatusFlags faults, bool isWeak)
    {
        if (faults.HasFlag(X509ChainStatusFlags.NotTimeValid))
            return "its TLS certificate is out of date, or this node's clock is wrong";
        const X509ChainStatusFlags Unknown = X509ChainStatusFlags.PartialChain
            | X509ChainStatusFlags.NotSignatureValid; // an authority of the same name with another key
        if ((faults & Unknown) != 0)
            return "its TLS certificate is signed by an unknown authority (tls.ca names one)";
        if (faults.HasFlag(X509ChainStatusFlags.InvalidBasicConstraints))
            return "its TLS certificate is signed by one that is no authority, or by more of them than the root allows";
        if (faults != X509ChainStatusFlags.NoError)
            return $"its TLS certificate is not valid ({faults})";
        return isWeak ? "its TLS certificate is signed with SHA-1 or older, which no runtime takes any more" : null;
    }
}

/// <summary>Carries the reason out of the TLS handshake; becomes <see cref="ProbeResult.Unreachable"/>.</summary>
internal sealed class UntrustedCertificateException(string reason) : Exception(reason);
