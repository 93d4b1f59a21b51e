using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ImageCriShim.Registries;

/// <summary>Decides whether a registry's certificate is believed, and says in plain words why not.</summary>
internal sealed class ServerCertificate(TlsSettings tls)
{
    private static readonly Oid s_serverAuthentication = new("1.3.6.1.5.5.7.3.1");

    private readonly X509Certificate2Collection _authorities = tls.LoadCa();

    /// <exception cref="UntrustedCertificateException">
    /// Instead of false: the framework's own text for a refused certificate does not say what is wrong with it.
    /// </exception>
    public bool Verify(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None || tls.InsecureSkipVerify)
            return true;
        if (certificate is not X509Certificate2 shown || chain is null || errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable))
            throw new UntrustedCertificateException("it shows no TLS certificate");
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
            throw new UntrustedCertificateException($"its TLS certificate is for {Names(shown)}");
        if (_authorities.Count == 0)
            throw new UntrustedCertificateException(Why(chain));

        using var ours = TrustOnly(_authorities, chain);
        return ours.Build(shown) ? true : throw new UntrustedCertificateException(Why(ours));
    }

    private static X509Chain TrustOnly(X509Certificate2Collection authorities, X509Chain shown)
    {
        var chain = new X509Chain
        {
            ChainPolicy =
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
                DisableCertificateDownloads = true,
            },
        };
        chain.ChainPolicy.ApplicationPolicy.Add(s_serverAuthentication);
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        foreach (var element in shown.ChainElements)
            chain.ChainPolicy.ExtraStore.Add(element.Certificate);
        chain.ChainPolicy.ExtraStore.AddRange(shown.ChainPolicy.ExtraStore); // the intermediates that the registry sent
        return chain;
    }

    private static string Why(X509Chain chain)
    {
        var all = chain.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (flags, status) => flags | status.Status);
        if (all.HasFlag(X509ChainStatusFlags.NotTimeValid))
            return "its TLS certificate is out of date, or this node's clock is wrong";
        const X509ChainStatusFlags Unknown = X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain
            | X509ChainStatusFlags.NotSignatureValid; // an authority of the same name with another key
        if ((all & Unknown) != 0)
            return "its TLS certificate is signed by an unknown authority (tls.ca names one)";
        return $"its TLS certificate is not valid ({all})";
    }

    private static string Names(X509Certificate2 certificate)
    {
        const int Shown = 3; // the rest of a hosting provider's list helps nobody
        const int MaxName = 253; // RFC 1035, section 2.3.4
        var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>()
            .SelectMany(e => e.EnumerateDnsNames().Concat(e.EnumerateIPAddresses().Select(ip => ip.ToString())))
            .Take(Shown)
            .Select(name => PrintableText.Of(name, MaxName))
            .ToList();
        return names.Count == 0 ? "no host name" : string.Join(", ", names);
    }
}

/// <summary>Carries the reason out of the TLS handshake; becomes <see cref="ProbeResult.Unreachable"/>.</summary>
internal sealed class UntrustedCertificateException(string reason) : Exception(reason);
