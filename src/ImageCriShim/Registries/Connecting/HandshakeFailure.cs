using System.Security.Cryptography;

namespace ImageCriShim.Registries.Connecting;

/// <summary>
/// Why a server did not do a TLS handshake, by the first bytes that it sent: an alert (RFC 8446 section 6), a ServerHello (section 4.1.3), or
/// something that is not TLS at all.
/// </summary>
internal static class HandshakeFailure
{
    private const byte Alert = 21;
    private const byte Handshake = 22;
    private const byte ServerHello = 2;
    private const int LongestWords = 100;

    /// <param name="first">What the server sent first.</param>
    /// <param name="failure">What the TLS library makes of it.</param>
    public static string Explain(ReadOnlySpan<byte> first, Exception failure) => first switch
    {
        [] => "it closed the connection in the TLS handshake",
        [Alert, 3, _, _, _, _, var description, ..] => Explain(description),
        [Handshake, 3, _, _, _, ServerHello, _, _, _, 3, var minor and < 3, ..] => $"it speaks only {NameOf(minor)}, and this node TLS 1.2 and 1.3",
        [Alert or Handshake] or [Alert or Handshake, 3, ..] => $"the TLS handshake failed{WordsOf(failure)}",
        _ when IsHttp(first) => "the TLS handshake failed: it speaks plain http",
        _ => "the TLS handshake failed: it speaks neither TLS nor plain http; is it the right port?",
    };

    /// <summary>Before it has said anything else a server sends an alert because of what it was offered.</summary>
    private static string Explain(byte description) => description switch
    {
        40 or 71 => "it takes none of this node's TLS versions and cipher suites; it may have only old ones, such as RSA key exchange or CBC with SHA-1", // handshake_failure, insufficient_security
        70 => "it speaks neither TLS 1.2 nor TLS 1.3", // protocol_version
        112 => "it has no TLS certificate for that name", // unrecognized_name
        _ => $"it refuses the TLS handshake (alert {description})",
    };

    private static string NameOf(byte minor) => minor == 0 ? "SSL 3.0" : $"TLS 1.{minor - 1}";

    /// <summary>Web servers that do not understand a request answer with a status line, or, as for HTTP/0.9, with a page alone.</summary>
    private static bool IsHttp(ReadOnlySpan<byte> first) =>
        first.StartsWith("HTTP/"u8) || first.StartsWith("<html"u8) || first.StartsWith("<HTML"u8) || first.StartsWith("<!DOC"u8) || first.StartsWith("<!doc"u8);

    /// <summary>OpenSSL's own words stand behind the last colon: <c>error:0A00018A:SSL routines::dh key too small</c>.</summary>
    private static string WordsOf(Exception failure)
    {
        for (var e = failure; e is not null; e = e.InnerException)
        {
            if (e is CryptographicException && e.Message.StartsWith("error:", StringComparison.Ordinal))
                return $" ({PrintableText.Of(e.Message[(e.Message.LastIndexOf(':') + 1)..].Trim(), LongestWords)})";
        }
        return "";
    }
}
