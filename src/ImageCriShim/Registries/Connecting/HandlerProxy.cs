using System.Net;

namespace ImageCriShim.Registries.Connecting;

/// <summary>
/// The proxies that are left to the HTTP handler: those of plain http registries, and SOCKS. A proxy of http that wants a credential has been
/// sent it with the request, and the handler is given none: it would try Negotiate, NTLM and Digest with it.
/// </summary>
internal sealed class HandlerProxy(SystemProxy proxy) : IWebProxy, ICredentials
{
    ICredentials? IWebProxy.Credentials
    {
        get => this;
        set => throw new NotSupportedException("they stand in the environment");
    }

    public Uri? GetProxy(Uri destination) => proxy.MakesTunnel(destination) ? null : proxy.GetProxy(destination);

    public bool IsBypassed(Uri host) => GetProxy(host) is null;

    NetworkCredential? ICredentials.GetCredential(Uri uri, string authType) =>
        uri.Scheme == SystemProxy.Socks ? proxy.FindSocksLogin(uri) : null;
}
