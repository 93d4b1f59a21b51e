using System.Net.Sockets;
using System.Security.Authentication;

namespace ImageCriShim.Registries;

/// <summary>
/// Why a registry could not be asked, in words for whoever is woken by it. Made from error codes, not from messages: the
/// published program carries no framework messages (UseSystemResourceKeys), and they would name URLs.
/// </summary>
internal static class FailureReason
{
    private const string NoHandshake = "the TLS handshake failed; does it speak plain http?";

    public static string Of(Exception failure)
    {
        for (var e = failure; e is not null; e = e.InnerException)
        {
            if (Specific(e) is { } reason)
                return reason;
        }
        return failure switch
        {
            HttpRequestException http => General(http.HttpRequestError),
            HttpIOException io => General(io.HttpRequestError),
            _ => "the connection broke",
        };
    }

    private static string? Specific(Exception e) => e switch
    {
        UntrustedCertificateException refused => refused.Message,
        SocketException socket => OfSocket(socket.SocketErrorCode),
        AuthenticationException => NoHandshake,
        _ => null,
    };

    private static string OfSocket(SocketError error) => error switch
    {
        SocketError.ConnectionRefused => "connection refused",
        SocketError.ConnectionReset or SocketError.Shutdown => "it closed the connection",
        SocketError.HostNotFound or SocketError.NoData => "its name is not known to DNS or /etc/hosts",
        SocketError.TryAgain => "DNS does not answer for its name",
        SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.HostDown => "no route to it",
        SocketError.TimedOut => "no connection: timed out",
        SocketError.TooManyOpenSockets => "this process has no file descriptor left",
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
