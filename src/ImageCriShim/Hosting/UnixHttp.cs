using System.Net.Sockets;

namespace ImageCriShim.Hosting;

/// <summary>HTTP over a unix socket.</summary>
internal static class UnixHttp
{
    /// <param name="socket">Its path.</param>
    /// <param name="patience">Of each request.</param>
    public static HttpClient CreateClient(string socket, TimeSpan patience)
    {
        var handler = new SocketsHttpHandler { UseProxy = false, ConnectCallback = (_, cancellation) => Connect(socket, cancellation) };
        return new HttpClient(handler) { Timeout = patience };
    }

    private static async ValueTask<Stream> Connect(string path, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
