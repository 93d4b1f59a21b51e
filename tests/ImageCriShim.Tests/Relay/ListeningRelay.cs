using System.Net.Sockets;
using ImageCriShim.Relay;
using Microsoft.Extensions.Logging;

namespace ImageCriShim.Tests.Relay;

/// <summary>The relay in this process, listening, for as long as it is not disposed.</summary>
internal sealed class ListeningRelay : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly RelayListener _listener;
    private readonly Thread _accepting;

    internal ListeningRelay(string socketPath, string runtimeSocket, RouteCall route, ILogger log)
    {
        _socket.Bind(new UnixDomainSocketEndPoint(socketPath));
        _socket.Listen(16);
        _listener = new RelayListener(_socket, new RuntimeSocket(runtimeSocket, TimeProvider.System), _ => route, log);
        _accepting = new Thread(_listener.Run) { IsBackground = true, Name = "accept" };
        _accepting.Start();
    }

    internal int Connections => _listener.Connections;

    public void Dispose()
    {
        _listener.Stop();
        _accepting.Join();
        _listener.Dispose();
        _socket.Dispose();
    }
}
