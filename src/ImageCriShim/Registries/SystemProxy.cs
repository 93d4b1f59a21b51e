using System.Collections.Immutable;
using System.Net;

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
/// <c>localhost</c> and loopback addresses are never asked over a proxy. What cannot be understood is as if it were not there.
/// </summary>
internal sealed class SystemProxy : IWebProxy, ICredentials
{
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

    ICredentials? IWebProxy.Credentials
    {
        get => this;
        set => throw new NotSupportedException("they stand in the environment");
    }

    public bool IsBypassed(Uri host) => GetProxy(host) is null;

    /// <returns>The proxy without its user and password; null: asked directly.</returns>
    public Uri? GetProxy(Uri destination)
    {
        var proxy = destination.Scheme == Uri.UriSchemeHttps ? _https : _http;
        return proxy is null || IsLocal(destination) || _exceptions.Any(exception => exception.Matches(destination)) ? null : proxy.Value.Address;
    }

    /// <summary>The user and password of a proxy, when it asks for them; nobody else is given them.</summary>
    NetworkCredential? ICredentials.GetCredential(Uri uri, string authType)
    {
        foreach (var proxy in (ReadOnlySpan<(Uri Address, NetworkCredential? Login)?>)[_https, _http])
        {
            if (proxy is { } known && known.Address.Authority == uri.Authority && known.Login is not null)
                return known.Login;
        }
        return null;
    }

    private static (Uri Address, NetworkCredential? Login)? ParseProxy(string text)
    {
        string[] schemes = ["http", "https", "socks5", "socks5h"];
        text = text.Trim();
        if (text.Length == 0)
            return null;
        if (!Array.Exists(schemes, scheme => text.StartsWith(scheme + "://", StringComparison.OrdinalIgnoreCase)))
            text = "http://" + text;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Host.Length == 0)
            return null;

        var scheme = uri.Scheme == "socks5h" ? "socks5" : uri.Scheme; // .NET leaves names to a SOCKS proxy anyway
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
