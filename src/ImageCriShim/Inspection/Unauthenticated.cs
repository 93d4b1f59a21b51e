using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using ImageCriShim.Registries;

namespace ImageCriShim.Inspection;

/// <summary>Looks at a server whom nobody believes yet, to tell what is wrong with it. So it is told nothing, and no redirect is followed.</summary>
internal static class Unauthenticated
{
    /// <returns>What it shows, whether it is believed or not; null where it does not speak TLS.</returns>
    public static async Task<ShownCertificate?> Show(Uri endpoint, SystemProxy proxy, TimeSpan patience, CancellationToken cancellation)
    {
        ShownCertificate? shown = null;
        using var handler = MakeHandler(proxy);
#pragma warning disable CA5359 // believes everybody: this is for saying why others do not
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
        {
            shown = ShownCertificate.Copy(certificate as X509Certificate2, chain, errors);
            return true;
        };
#pragma warning restore CA5359
        handler.SslOptions.CertificateRevocationCheckMode = X509RevocationMode.NoCheck;
        using var answer = await Ask(handler, endpoint, patience, cancellation);
        return shown is null ? null : shown with { Date = answer?.Headers.Date };
    }

    /// <returns>Whether something speaks plain http there that may be a registry.</returns>
    public static async Task<bool> Speaks(Uri endpoint, SystemProxy proxy, TimeSpan patience, CancellationToken cancellation)
    {
        using var handler = MakeHandler(proxy);
        using var answer = await Ask(handler, endpoint, patience, cancellation);
        return answer?.StatusCode is HttpStatusCode.OK or HttpStatusCode.Unauthorized;
    }

    private static SocketsHttpHandler MakeHandler(SystemProxy proxy) => new()
    {
        Proxy = proxy,
        AllowAutoRedirect = false,
        UseCookies = false,
        ConnectTimeout = RegistryConnections.ConnectTimeout,
        ActivityHeadersPropagator = null,
    };

    /// <returns>Its headers; null where there was no answer.</returns>
    private static async Task<HttpResponseMessage?> Ask(SocketsHttpHandler handler, Uri endpoint, TimeSpan patience, CancellationToken cancellation)
    {
        using var invoker = new HttpMessageInvoker(handler, disposeHandler: false);
        using var timeout = new CancellationTokenSource(patience);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timeout.Token);
        try
        {
            return await invoker.SendAsync(new HttpRequestMessage(HttpMethod.Get, new Uri(endpoint, "v2/")), either.Token);
        }
        catch (Exception e) when (e is HttpRequestException or IOException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return null;
        }
    }
}
