using System.Globalization;
using System.Net.Http.Headers;
using System.Text;

namespace ImageCriShim.Registries.Connecting;

/// <summary>
/// A tunnel through an http proxy (CONNECT, RFC 9110 section 9.3.6). The proxy's credential goes along with the first request, as Go programs
/// send it: some proxies drop a request without one, and what others offer beside Basic is of no use.
/// </summary>
internal static class ProxyTunnel
{
    internal const int MaxHeadBytes = 16 * 1024; // a status line and a few headers

    /// <param name="proxy">A connection to the proxy.</param>
    /// <param name="target">The host behind it.</param>
    /// <param name="credential">For the proxy; null: it wants none.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    /// <exception cref="ConnectionException">The proxy makes no tunnel.</exception>
    /// <exception cref="IOException">The proxy breaks the connection.</exception>
    public static async Task Make(Stream proxy, Uri target, AuthenticationHeaderValue? credential, CancellationToken cancellation)
    {
        var host = target.HostNameType == UriHostNameType.IPv6 ? $"[{target.IdnHost}]" : target.IdnHost;
        var authority = string.Create(CultureInfo.InvariantCulture, $"{host}:{target.Port}");
        var authorization = credential is null ? "" : $"Proxy-Authorization: {credential}\r\n";
        var request = $"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: {RegistryConnections.UserAgent}\r\n{authorization}\r\n";
        await proxy.WriteAsync(Encoding.Latin1.GetBytes(request), cancellation);
        var (head, hasMore) = await ReadHead(proxy, cancellation);
        if (FindStatus(head) is not { } status)
            throw new ConnectionException("the proxy's answer is not HTTP");
        if (status is < 200 or > 299)
            throw new ConnectionException($"the proxy says HTTP {status}");
        if (hasMore)
            throw new ConnectionException("the proxy sends something before the registry does"); // a TLS server waits for the client
    }

    /// <returns>The status line and the headers, and whether something came behind them.</returns>
    private static async Task<(string Head, bool HasMore)> ReadHead(Stream proxy, CancellationToken cancellation)
    {
        var buffer = new byte[MaxHeadBytes];
        for (var count = 0; count < buffer.Length;)
        {
            var read = await proxy.ReadAsync(buffer.AsMemory(count), cancellation);
            if (read == 0)
                throw new ConnectionException("the proxy closed the connection");
            count += read;
            var end = buffer.AsSpan(0, count).IndexOf("\r\n\r\n"u8);
            if (end >= 0)
                return (Encoding.Latin1.GetString(buffer, 0, end), end + 4 < count);
        }
        throw new ConnectionException("the proxy's answer has too many headers");
    }

    private static int? FindStatus(string head) =>
        head.Split('\n')[0].Split(' ') is [var version, var status, ..] && version.StartsWith("HTTP/1.", StringComparison.Ordinal)
            && int.TryParse(status.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
