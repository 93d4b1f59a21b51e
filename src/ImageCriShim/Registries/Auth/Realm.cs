using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace ImageCriShim.Registries.Auth;

/// <summary>The address of a token server, as a registry names it: where the account of that registry will go. So it is looked at twice.</summary>
/// <param name="Uri">Where tokens are asked for.</param>
/// <param name="Otherwise">Where they are asked for if there is no token server at the first; null: nowhere.</param>
internal sealed record Realm(Uri Uri, Uri? Otherwise = null)
{
    /// <param name="registry">The registry's address that answered.</param>
    /// <param name="text">A URL, or a path at the registry.</param>
    /// <param name="realm">Where tokens are had.</param>
    /// <param name="problem">Why nothing may be sent there, for people.</param>
    public static bool TryFind(Uri registry, string? text, [NotNullWhen(true)] out Realm? realm, [NotNullWhen(false)] out string? problem)
    {
        realm = null;
        if (string.IsNullOrWhiteSpace(text) || !Uri.TryCreate(registry, text, out var named) || !Redirection.CanBeAsked(named))
            problem = "names no token server that can be asked";
        else if ((problem = FindProblem(registry, Redirection.KeepTls(registry, named))) is null)
            realm = new Realm(Redirection.KeepTls(registry, named), OnPortOfHttps(registry, named));
        return problem is null;
    }

    private static string? FindProblem(Uri registry, Uri realm)
    {
        if (registry.Scheme == Uri.UriSchemeHttps && realm.Scheme != Uri.UriSchemeHttps)
            return $"wants a token to be had from {realm.Authority} over plain http, which is not done for a registry with https";
        return IPAddress.TryParse(realm.IdnHost, out var address) && LinkLocal.Is(address) && !Redirection.StaysWith(registry, realm)
            ? $"wants a token to be had from {realm.Authority}, an address where clouds keep secrets of their own"
            : null;
    }

    /// <summary>
    /// A registry with a port of its own may have its tokens made by the web server of its host: what has the default port of http has that
    /// of https as well.
    /// </summary>
    private static Uri? OnPortOfHttps(Uri registry, Uri named) =>
        named.IsDefaultPort && !registry.IsDefaultPort && Redirection.KeepTls(registry, named) is var secure && secure != named
            ? new UriBuilder(secure) { Port = -1 }.Uri
            : null;
}
