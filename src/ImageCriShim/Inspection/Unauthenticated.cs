using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Connecting;

namespace ImageCriShim.Inspection;

/// <summary>Looks at a server whom nobody believes yet, to tell what is wrong with it. So it is told nothing, and no redirect is followed.</summary>
internal static class Unauthenticated
{
    /// <returns>What it shows, whether it is believed or not; null where it does not speak TLS.</returns>
    public static async Task<ShownCertificate?> Show(Uri endpoint, SystemProxy proxy, TimeSpan patience, CancellationToken cancellation)
    {
        ShownCertificate? shown = null;
        using var handler = MakeHandler(proxy, (certificate, chain) => shown = ShownCertificate.Copy(certificate as X509Certificate2, chain, endpoint.IdnHost));
        using var answer = await Ask(handler, proxy, endpoint, patience, cancellation);
        return shown is null ? null : shown with { Date = answer?.Headers.Date };
    }

    /// <returns>Whether something speaks plain http there that may be a registry.</returns>
    public static async Task<bool> Speaks(Uri endpoint, SystemProxy proxy, TimeSpan patience, CancellationToken cancellation)
    {
        using var handler = MakeHandler(proxy, (_, _) => { });
        using var answer = await Ask(handler, proxy, endpoint, patience, cancellation);
        return answer?.StatusCode is HttpStatusCode.OK or HttpStatusCode.Unauthorized;
    }

    /// <param name="proxy">Over which it is asked.</param>
    /// <param name="look">Is shown each certificate, which then is believed: this is for saying why others do not.</param>
    private static SocketsHttpHandler MakeHandler(SystemProxy proxy, Action<X509Certificate?, X509Chain?> look) =>
        RegistryConnections.CreateHandler(proxy, new Connector(TimeProvider.System, Dns.GetHostAddressesAsync), host => new SslClientAuthenticationOptions
        {
            TargetHost = host,
            CertificateChainPolicy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true },
#pragma warning disable CA5359
            RemoteCertificateValidationCallback = (_, certificate, chain, _) =>
            {
                look(certificate, chain);
                return true;
            },
#pragma warning restore CA5359
        });

    /// <returns>Its headers; null where there was no answer.</returns>
    private static async Task<HttpResponseMessage?> Ask(
        SocketsHttpHandler handler, SystemProxy proxy, Uri endpoint, TimeSpan patience, CancellationToken cancellation)
    {
        using var invoker = new HttpMessageInvoker(handler, disposeHandler: false);
        using var timeout = new CancellationTokenSource(patience);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timeout.Token);
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(endpoint, "v2/"));
        request.Headers.ProxyAuthorization = proxy.MakesTunnel(endpoint) ? null : proxy.FindCredential(endpoint);
        try
        {
            return await invoker.SendAsync(request, either.Token);
        }
        catch (Exception e) when (e is HttpRequestException or IOException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return null;
        }
    }
}
