using System.Collections.Immutable;
using System.Security.Cryptography.X509Certificates;
using ImageCriShim.Registries;

namespace ImageCriShim.Inspection;

/// <summary>The certificate of a server, and those that lead from it to an authority.</summary>
/// <param name="Certificate">Its own.</param>
/// <param name="Chain">All that are known of the way up, its own first.</param>
/// <param name="IsBelieved">By what this system trusts, without <c>tls.ca</c>: as the runtime would, to whom nobody has said more.</param>
internal sealed record ShownCertificate(X509Certificate2 Certificate, ImmutableArray<X509Certificate2> Chain, bool IsBelieved)
{
    private const int LongestName = 200; // of a distinguished name, which a server may choose

    /// <summary>What time it is at the server; null where it did not say.</summary>
    public DateTimeOffset? Date { get; init; }

    public static ShownCertificate? Copy(X509Certificate2? certificate, X509Chain? chain, string host)
    {
        if (certificate is null)
            return null;
        var sent = chain?.ChainPolicy.ExtraStore ?? [];
        return new(
            new X509Certificate2(certificate),
            [.. (chain?.ChainElements.Select(element => element.Certificate) ?? []).Concat(sent).Select(one => new X509Certificate2(one))],
            new ServerCertificate(TlsSettings.Default).FindFault(certificate, sent, host) is null);
    }

    /// <summary>Why it is not believed, and what to do.</summary>
    /// <param name="what">What was looked at.</param>
    /// <param name="registry">Which does not believe it.</param>
    /// <param name="reason">In the words of whoever does not.</param>
    /// <param name="now">By this node's clock.</param>
    /// <param name="place">Where the registry's settings stand.</param>
    public Finding Explain(string what, Registry registry, string reason, DateTimeOffset now, string place)
    {
        var all = Chain.Append(Certificate).Concat(registry.Tls.LoadCa());
        if (all.FirstOrDefault(one => one.NotAfter.ToUniversalTime() < now) is { } old)
            return Finding.Problem(what, $"its TLS certificate cannot be used: {Describe(old)} expired on {Utc(old.NotAfter)}", Renew(registry, old));
        if (all.FirstOrDefault(one => one.NotBefore.ToUniversalTime() > now) is { } early)
            return Finding.Problem(what, $"its TLS certificate cannot be used: {Describe(early)} is valid from {Utc(early.NotBefore)} on, and here it is {now.UtcDateTime:u}", Remedy.Do("set this node's clock, if it is wrong"));
        if (reason.Contains("unknown authority", StringComparison.Ordinal))
            return Finding.Problem(what, $"its TLS certificate is signed by {Authority}, which this node does not know", Remedy.Do($"have the certificate of {Authority} from whoever runs {registry.Host}, and name its file: tls: {{ca: /etc/ssl/{FileName(registry)}.crt}} {place}"));
        if (CertificateNames.IsAboutCommonName(reason))
            return Finding.Problem(what, reason, Remedy.Do($"have whoever runs {registry.Host} issue it anew with subjectAltName={CertificateNames.Needed(registry.Address.Endpoint.IdnHost)}"));
        return Finding.Problem(what, reason, Remedy.Do($"have whoever runs {registry.Host} give it a certificate for that name, or write the name that it has into address {place}"));
    }

    private static Remedy Renew(Registry registry, X509Certificate2 old) =>
        Remedy.Do($"have whoever runs {registry.Host} renew {(old.Subject == old.Issuer ? "that authority" : "it")}; if it is not that late, set this node's clock");

    private string Authority => Shown(Chain.LastOrDefault(one => one.Subject != one.Issuer, Certificate).Issuer);

    private static string Describe(X509Certificate2 one) =>
        one.Subject == one.Issuer ? Shown(one.Subject) : $"{Shown(one.Subject)}, signed by {Shown(one.Issuer)},";

    private static string Shown(string name) => PrintableText.Of(name, LongestName);

    private static string Utc(DateTime time) => $"{time.ToUniversalTime():u}";

    private static string FileName(Registry registry) => registry.Host.Replace(':', '-');
}
