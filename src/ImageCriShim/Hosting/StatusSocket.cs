using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace ImageCriShim.Hosting;

/// <summary>
/// Where <c>image-cri-shim status</c> finds the daemon: a socket beside ours, for root alone. Of two processes, while one takes over from the other,
/// it is the younger one's.
/// </summary>
internal sealed class StatusSocket : IDisposable
{
    private const int Backlog = 64;

    private readonly SocketFile _file;
    private readonly PageServer _server;

    private StatusSocket(SocketFile file, PageServer server) => (_file, _server) = (file, server);

    /// <param name="shimSocket">Our socket's path.</param>
    internal static string PathFor(string shimSocket) => $"{shimSocket}.status";

    /// <returns>Null where it cannot be had, which the log says: it is of use, not of need.</returns>
    internal static StatusSocket? TryOpen(string shimSocket, Func<string, Page?> find, Func<string, ReadOnlyMemory<byte>, Page?> post, ILogger log)
    {
        var path = PathFor(shimSocket);
        try
        {
            var file = SocketFile.Listen(path, Backlog);
            file.Appear();
            return new StatusSocket(file, new PageServer(file.Listener, find, post));
        }
        catch (Exception e) when (e is SocketException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            Log.StatusNotServed(log, path, e is ArgumentException ? "the path is longer than a socket's may be (107 bytes, unix(7))" : e.GetType().Name);
            return null;
        }
    }

    /// <summary>Whether the file leads to this process.</summary>
    internal bool IsOurs => _file.IsOurs;

    public void Dispose()
    {
        _file.TakeAway();
        _server.Dispose();
    }
}
