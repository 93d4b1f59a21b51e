using System.Net.Http.Headers;
using System.Net.Security;

namespace ImageCriShim.Registries.Connecting;

/// <summary>The way to a host.</summary>
/// <param name="Hop">Where to connect to: the host itself, or the proxy before it.</param>
internal sealed record Route(Uri Hop)
{
    /// <summary>How TLS is spoken with the host at the end of the way; null: it is not, or the HTTP handler does.</summary>
    public SslClientAuthenticationOptions? Tls { get; init; }

    /// <summary>The host that the hop makes a tunnel to; null: there is none.</summary>
    public Uri? Tunnel { get; init; }

    /// <summary>How TLS is spoken with the proxy; null: it is not.</summary>
    public SslClientAuthenticationOptions? ProxyTls { get; init; }

    /// <summary>What the proxy of a tunnel wants; null: nothing.</summary>
    public AuthenticationHeaderValue? ProxyCredential { get; init; }

    /// <summary>Whether a registry has named the host, and not the settings.</summary>
    public bool IsElsewhere { get; init; }

    /// <param name="proxy">Whose way leads over which proxy.</param>
    /// <param name="target">What is asked for.</param>
    /// <param name="tls">How TLS is spoken with a host.</param>
    /// <param name="isElsewhere">Whether a registry has named the host.</param>
    public static Route Find(SystemProxy proxy, Uri target, Func<string?, SslClientAuthenticationOptions> tls, bool isElsewhere)
    {
        var isSecure = target.Scheme == Uri.UriSchemeHttps;
        if (proxy.GetProxy(target) is not { } hop)
            return new Route(target) { Tls = isSecure ? tls(target.IdnHost) : null, IsElsewhere = isElsewhere };
        if (!proxy.MakesTunnel(target))
            return new Route(hop); // a proxy for plain http, or SOCKS: the handler speaks with it
        return new Route(hop)
        {
            Tls = tls(target.IdnHost),
            Tunnel = target,
            ProxyTls = hop.Scheme == Uri.UriSchemeHttps ? tls(hop.IdnHost) : null,
            ProxyCredential = proxy.FindCredential(target),
        };
    }
}
