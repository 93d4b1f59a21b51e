using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace ImageCriShim.Registries.Auth;

/// <summary>The address of a token server, as a registry names it: where the account of that registry will go. So it is looked at twice.</summary>
internal static class Realm
{
    /// <param name="registry">Whoever names it.</param>
    /// <param name="text">A URL, or a path at the registry.</param>
    /// <param name="realm">Where tokens are had.</param>
    /// <param name="problem">Why nothing may be sent there, for people.</param>
    public static bool TryFind(Uri registry, string? text, [NotNullWhen(true)] out Uri? realm, [NotNullWhen(false)] out string? problem)
    {
        if (string.IsNullOrWhiteSpace(text) || !Uri.TryCreate(registry, text, out realm) || !Redirection.CanBeAsked(realm))
            (realm, problem) = (null, "names no token server that can be asked");
        else if ((problem = FindProblem(registry, realm)) is not null)
            realm = null;
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
}
