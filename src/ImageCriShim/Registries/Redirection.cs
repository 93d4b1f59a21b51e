using System.Net;

namespace ImageCriShim.Registries;

/// <summary>Redirects of a registry (RFC 9110 section 15.4): where they lead and whether the credential may go there.</summary>
internal static class Redirection
{
    /// <returns>Null if the answer is no redirect, or one to nowhere that can be asked.</returns>
    public static Uri? FindTarget(HttpResponseMessage response, Uri asked)
    {
        var isRedirect = response.StatusCode is HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther
            or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect;
        return isRedirect
            && response.Headers.Location is { } location
            && Uri.TryCreate(asked, location, out var target)
            && CanBeAsked(target)
                ? target
                : null;
    }

    /// <summary>Of an address that somebody else has written: over HTTP, and its host's name, which may be in any letters, has a form in ASCII.</summary>
    public static bool CanBeAsked(Uri uri)
    {
        try
        {
            return (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps) && uri.IdnHost.Length > 0;
        }
        catch (UriFormatException)
        {
            return false;
        }
    }

    /// <summary>What stands behind it is nobody's word whom the address in front of it proves.</summary>
    public static bool LosesTls(Uri asked, Uri target) => asked.Scheme == Uri.UriSchemeHttps && target.Scheme != Uri.UriSchemeHttps;

    public static ProbeResult ToPlainHttp(HttpResponseMessage response) => new ProbeResult.Unreachable(
        $"HTTP {(int)response.StatusCode}, a redirect from https to plain http, where anybody could answer");

    /// <summary>
    /// Another port is another host: it may be another's program. The one exception is the usual step from http to https on
    /// the same name, which makes things safer.
    /// </summary>
    public static bool StaysWith(Uri registry, Uri target) =>
        string.Equals(registry.Host, target.Host, StringComparison.OrdinalIgnoreCase)
        && ((registry.Scheme == target.Scheme && registry.Port == target.Port)
            || (registry.Scheme == Uri.UriSchemeHttp && target.Scheme == Uri.UriSchemeHttps && target.IsDefaultPort));
}
