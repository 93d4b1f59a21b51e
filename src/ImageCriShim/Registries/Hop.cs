namespace ImageCriShim.Registries;

/// <summary>A request's address: at first the host that its credential is for, then where redirects lead.</summary>
/// <param name="Home">The host that the credential is for.</param>
/// <param name="Uri">The whole address.</param>
/// <param name="Tls">How the host proves who it is.</param>
/// <param name="IsElsewhere">Whether a registry has named the host, and not the settings.</param>
/// <param name="HasCredential">Whether the credential goes along.</param>
internal sealed record Hop(Uri Home, Uri Uri, TlsSettings Tls, bool IsElsewhere, bool HasCredential = true)
{
    /// <summary>Follows a redirect. A credential that was left behind once stays behind: a way back could be anybody's.</summary>
    public Hop To(Uri target) => Redirection.StaysWith(Home, target)
        ? this with { Uri = target }
        : this with { Uri = target, Tls = Tls.ForOtherHosts, IsElsewhere = true, HasCredential = false };
}
