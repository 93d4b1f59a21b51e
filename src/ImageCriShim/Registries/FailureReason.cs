using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using ImageCriShim.Registries.Connecting;

namespace ImageCriShim.Registries;

/// <summary>
/// Why a registry could not be asked, in words for whoever is woken by it. Made from error codes, not from messages: the
/// published program carries no framework messages (UseSystemResourceKeys), and they would name URLs.
/// </summary>
internal static class FailureReason
{
    private const string NoClientCertificate = "it wants to see a client certificate that it believes (tls.cert and tls.key name ours)";
    private const string NoHandshake = "the TLS handshake failed";

    public static string Of(Exception failure)
    {
        for (var e = failure; e is not null; e = e.InnerException)
        {
            if (IsAboutOurCertificate(e))
                return NoClientCertificate;
        }
        for (var e = failure; e is not null; e = e.InnerException)
        {
            if (Specific(e) is { } reason)
                return reason;
        }
        return failure switch
        {
            HttpRequestException { HttpRequestError: HttpRequestError.ProxyTunnelError, StatusCode: { } status } => $"the proxy says HTTP {(int)status}",
            HttpRequestException http => General(http.HttpRequestError),
            HttpIOException io => General(io.HttpRequestError),
            _ => "the connection broke",
        };
    }

    /// <summary>Whether no connection came about, rather than none of the answers that a registry gives.</summary>
    public static bool IsOfConnection(Exception failure) => failure is not ElsewhereException && failure is HttpRequestException
    {
        HttpRequestError: HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError or HttpRequestError.SecureConnectionError
            or HttpRequestError.ProxyTunnelError,
    };

    private static string? Specific(Exception e) => e switch
    {
        UntrustedCertificateException refused => refused.Message,
        OwnLimitException own => own.Message,
        ConnectionException broken => broken.Message,
        LinkLocalException elsewhere => elsewhere.Message,
        BrokenBodyException body => body.Message,
        SocketException socket => OfSocket(socket.SocketErrorCode),
        AuthenticationException => NoHandshake,
        _ => null,
    };

    /// <summary>
    /// A server that refuses a client's certificate, or the lack of one, says so with an alert (RFC 8446 section 6.2), which OpenSSL tells
    /// as error 1000 and more of its part 20, which .NET puts into <see cref="Exception.HResult"/>. There is no other way to see it.
    /// </summary>
    private static bool IsAboutOurCertificate(Exception e)
    {
        const int SslPart = 20;
        const int FirstAlert = 1000;
        return e is CryptographicException && (e.HResult >> 23 == SslPart || e.HResult >> 24 == SslPart) // OpenSSL 3, and 1.1
            && (e.HResult & 0xfff) - FirstAlert is 42 or 43 or 44 or 45 or 46 or 48 or 116; // bad_certificate ... certificate_unknown, unknown_ca, certificate_required
    }

    private static string OfSocket(SocketError error) => error switch
    {
        SocketError.ConnectionRefused => "connection refused",
        SocketError.ConnectionReset or SocketError.Shutdown => "it closed the connection",
        SocketError.HostNotFound or SocketError.NoData => "its name is not known to DNS or /etc/hosts",
        SocketError.TryAgain => $"DNS does not answer for its name{NameServers.Describe()}",
        SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.HostDown => "no route to it",
        SocketError.TimedOut => "no connection: timed out",
        SocketError.TooManyOpenSockets => Descriptors.Exhausted,
        _ => $"socket error {error}",
    };

    private static string General(HttpRequestError error) => error switch
    {
        HttpRequestError.NameResolutionError => "its name is not known to DNS or /etc/hosts",
        HttpRequestError.ConnectionError => "no connection",
        HttpRequestError.SecureConnectionError => NoHandshake,
        HttpRequestError.ResponseEnded => "it closed the connection in the middle of its answer",
        HttpRequestError.InvalidResponse => "its answer is not HTTP; does it speak https?",
        HttpRequestError.ProxyTunnelError => "the proxy refused the connection",
        HttpRequestError.ConfigurationLimitExceeded => "its answer has too many headers",
        _ => "the connection broke",
    };
}
