using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using ImageCriShim.Registries;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Registries;

/// <summary>Why there is no TLS with a server, by what it sends instead.</summary>
public sealed class FailedHandshakesTests
{
    private const string OldSuites = "it takes none of this node's TLS versions and cipher suites; it may have only old ones, such as RSA key exchange or CBC with SHA-1";

    [Theory]
    [InlineData("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "the TLS handshake failed: it speaks plain http")]
    [InlineData("HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n", "the TLS handshake failed: it speaks plain http")]
    [InlineData("<html>\r\n<head><title>400 Bad Request</title></head>", "the TLS handshake failed: it speaks plain http")]
    [InlineData("<!DOCTYPE html><title>Error</title>", "the TLS handshake failed: it speaks plain http")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n", "the TLS handshake failed: it speaks neither TLS nor plain http; is it the right port?")]
    [InlineData("", "it closed the connection in the TLS handshake")]
    [InlineData("\x15\x03\x03\x00\x02\x02\x28", OldSuites)] // handshake_failure
    [InlineData("\x15\x03\x03\x00\x02\x02\x47", OldSuites)] // insufficient_security
    [InlineData("\x15\x03\x01\x00\x02\x02\x46", "it speaks neither TLS 1.2 nor TLS 1.3")] // protocol_version
    [InlineData("\x15\x03\x03\x00\x02\x02\x70", "it has no TLS certificate for that name")] // unrecognized_name
    [InlineData("\x15", "the TLS handshake failed")]
    [InlineData("\x15\x03\x03\x00\x02\x02\x50", "it refuses the TLS handshake (alert 80)")] // internal_error
    public async Task What_it_sends_first_tells(string sent, string reason) => (await Ask(async stream =>
    {
        await stream.ReadExactlyAsync(new byte[1]);
        await stream.WriteAsync(Encoding.Latin1.GetBytes(sent));
    })).ShouldBe($"unreachable ({reason})");

    /// <summary>A ServerHello of RFC 2246, RFC 4346 and RFC 6101.</summary>
    [Theory]
    [InlineData(2, "TLS 1.1")]
    [InlineData(1, "TLS 1.0")]
    [InlineData(0, "SSL 3.0")]
    public async Task A_server_that_answers_with_an_older_version_has_only_that(byte minor, string version)
    {
        byte[] hello = [2, 0, 0, 38, 3, minor, .. new byte[32], 0, 0, 0x2f, 0]; // TLS_RSA_WITH_AES_128_CBC_SHA
        byte[] record = [22, 3, minor, 0, (byte)hello.Length, .. hello];

        (await Ask(async stream =>
        {
            await stream.ReadExactlyAsync(new byte[1]);
            await stream.WriteAsync(record);
        })).ShouldBe($"unreachable (it speaks only {version}, and this node TLS 1.2 and 1.3)");
    }

    [Theory]
    [InlineData(TlsCipherSuite.TLS_RSA_WITH_AES_128_CBC_SHA)]
    [InlineData(TlsCipherSuite.TLS_RSA_WITH_AES_256_GCM_SHA384)]
    [InlineData(TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA)]
    public async Task A_real_server_with_suites_that_we_do_not_speak_is_said_to_have_old_ones(TlsCipherSuite suite)
    {
        using var authority = new FakeAuthority();
        using var certificate = authority.IssueRsa("127.0.0.1");
        var options = new SslServerAuthenticationOptions
        {
            ServerCertificate = certificate,
            EnabledSslProtocols = SslProtocols.Tls12,
#pragma warning disable CA1416 // Linux
            CipherSuitesPolicy = new CipherSuitesPolicy([suite]),
#pragma warning restore CA1416
        };

        (await Ask(async stream => await new SslStream(stream).AuthenticateAsServerAsync(options))).ShouldBe($"unreachable ({OldSuites})");
    }

    private static async Task<string> Ask(Func<NetworkStream, Task> answer)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var probe = new ProbeCase();
        var asked = probe.Ask($"https://{listener.LocalEndpoint}");
        using var accepted = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        var stream = accepted.GetStream();
        try
        {
            await answer(stream);
        }
        catch (Exception e) when (e is AuthenticationException or IOException)
        {
            // It has refused, which is what it is for.
        }
        accepted.Client.Shutdown(SocketShutdown.Send);
        return $"{await asked}";
    }
}
