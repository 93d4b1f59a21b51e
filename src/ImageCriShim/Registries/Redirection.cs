using System.Net;

namespace ImageCriShim.Registries;

/// <summary>Redirects of a registry (RFC 9110 section 15.4): where they lead and whether the credential may go there.</summary>
internal static class Redirection
{
    public const int MaxRedirects = 10; // as many as Go's client follows; registry.k8s.io and Quay need one; a loop ends

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

    public static ProbeResult ToPlainHttp(HttpResponseMessage response) => new ProbeResult.Unreachable(WhyNotToPlainHttp(response));

    public static string WhyNotToPlainHttp(HttpResponseMessage response) =>
        $"HTTP {(int)response.StatusCode}, a redirect from https to plain http, where anybody could answer";

    /// <summary>
    /// A host behind a gateway that does its TLS may name itself with plain http, as it sees itself. What it names is asked for by https on the
    /// port where it has been asked.
    /// </summary>
    /// <returns>The target as it is if it is another host or port, or https.</returns>
    public static Uri KeepTls(Uri asked, Uri target) =>
        LosesTls(asked, target) && IsSameHost(asked, target) && (target.IsDefaultPort || target.Port == asked.Port)
        ? new UriBuilder(target) { Scheme = Uri.UriSchemeHttps, Port = asked.Port }.Uri
        : target;

    /// <summary>
    /// Another port is another host: it may be another's program. The one exception is the usual step from http to https on
    /// the same name, which makes things safer.
    /// </summary>
    public static bool StaysWith(Uri registry, Uri target) =>
        IsSameHost(registry, target)
        && ((registry.Scheme == target.Scheme && registry.Port == target.Port)
            || (registry.Scheme == Uri.UriSchemeHttp && target.Scheme == Uri.UriSchemeHttps && target.IsDefaultPort));

    private static bool IsSameHost(Uri one, Uri other) => string.Equals(one.Host, other.Host, StringComparison.OrdinalIgnoreCase);
}
