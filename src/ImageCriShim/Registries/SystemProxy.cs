using System.Collections.Immutable;
using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace ImageCriShim.Registries;

/// <summary>
/// The proxies of the environment, understood as Go programs do (golang.org/x/net/http/httpproxy), because the runtime behind us
/// is one and has the same variables: a registry that one of us reaches, the other must reach as well.
/// <code>
/// HTTP_PROXY, HTTPS_PROXY   by the scheme of the registry; lower case too; a URL (http, https, socks5), or host:port; may hold user:password
/// NO_PROXY                  separated by commas; an entry is one of
///   *                       no proxy at all
///   10.0.0.0/8, fd00::/8    addresses in that range; a name is not looked up for it
///   10.1.2.3, [::1]:5000    that address, at any port or that one
///   corp.com, corp.com:5000 that name and all below it, at any port or that one
///   .corp.com, *.corp.com   the names below it
/// </code>
/// A user and password in a proxy's URL are sent as Basic (RFC 7617) with the first request, and no other way is ever tried.
/// <c>localhost</c> and loopback addresses are never asked over a proxy. What cannot be understood is as if it were not there.
/// </summary>
internal sealed class SystemProxy
{
    public const string Socks = "socks5";

    private readonly (Uri Address, NetworkCredential? Login)? _http;
    private readonly (Uri Address, NetworkCredential? Login)? _https;
    private readonly ImmutableArray<ProxyException> _exceptions;

    /// <param name="environment">The value of a variable; null if it is not set.</param>
    public SystemProxy(Func<string, string?> environment)
    {
        _http = ParseProxy(Either("HTTP_PROXY"));
        _https = ParseProxy(Either("HTTPS_PROXY"));
        _exceptions = [.. Either("NO_PROXY").Split(',', StringSplitOptions.RemoveEmptyEntries).Select(ProxyException.Parse).OfType<ProxyException>()];

        string Either(string name) =>
            environment(name) is { Length: > 0 } value ? value : environment(name.ToLowerInvariant()) ?? "";
    }

    /// <returns>The proxy without its user and password; null: asked directly.</returns>
    public Uri? GetProxy(Uri destination)
    {
        var proxy = Of(destination);
        return proxy is null || IsLocal(destination) || _exceptions.Any(exception => exception.Matches(destination)) ? null : proxy.Value.Address;
    }

    /// <summary>Whether the way leads through a tunnel that a proxy of http makes: that of each host with https does, but for SOCKS.</summary>
    public bool MakesTunnel(Uri destination) =>
        destination.Scheme == Uri.UriSchemeHttps && GetProxy(destination) is { } proxy && proxy.Scheme != Socks;

    /// <summary>What the proxy before a host is sent as <c>Proxy-Authorization</c>; null where there is no proxy of http or its URL names no user.</summary>
    public AuthenticationHeaderValue? FindCredential(Uri destination) =>
        GetProxy(destination) is { } proxy && proxy.Scheme != Socks && Of(destination)?.Login is { } login
            ? new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{login.UserName}:{login.Password}")))
            : null;

    /// <summary>The user and password of a SOCKS proxy (RFC 1929).</summary>
    public NetworkCredential? FindSocksLogin(Uri proxy) =>
        new[] { _https, _http }.FirstOrDefault(known => known?.Login is not null && known.Value.Address.Authority == proxy.Authority)?.Login;

    private (Uri Address, NetworkCredential? Login)? Of(Uri destination) => destination.Scheme == Uri.UriSchemeHttps ? _https : _http;

    private static (Uri Address, NetworkCredential? Login)? ParseProxy(string text)
    {
        string[] schemes = ["http", "https", Socks, "socks5h"];
        text = text.Trim();
        if (text.Length == 0)
            return null;
        if (!Array.Exists(schemes, scheme => text.StartsWith(scheme + "://", StringComparison.OrdinalIgnoreCase)))
            text = "http://" + text;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Host.Length == 0)
            return null;

        var scheme = uri.Scheme == "socks5h" ? Socks : uri.Scheme; // .NET leaves names to a SOCKS proxy anyway
        var port = uri.Port > 0 ? uri.Port : 1080; // only those of http and https are known to Uri
        return (new UriBuilder(scheme, uri.Host, port).Uri, ParseLogin(uri.UserInfo));
    }

    private static NetworkCredential? ParseLogin(string userInfo)
    {
        if (userInfo.Length == 0)
            return null;
        var colon = userInfo.IndexOf(':');
        var (user, password) = colon < 0 ? (userInfo, "") : (userInfo[..colon], userInfo[(colon + 1)..]);
        return new NetworkCredential(Uri.UnescapeDataString(user), Uri.UnescapeDataString(password));
    }

    private static bool IsLocal(Uri uri) =>
        uri.IdnHost == "localhost" || (IPAddress.TryParse(uri.IdnHost, out var address) && IPAddress.IsLoopback(address));
}
