using System.Net.Sockets;
using ImageCriShim.Metrics;
using ImageCriShim.Relay;
using Microsoft.Extensions.Logging;

namespace ImageCriShim.Tests.Relay;

/// <summary>The relay in this process, listening, for as long as it is not disposed.</summary>
internal sealed class ListeningRelay : IDisposable
{
    private readonly Acceptor _acceptor;
    private readonly RelayListener _listener;
    private readonly Thread _accepting;

    internal ListeningRelay(string socketPath, string runtimeSocket, RouteCall route, ILogger log)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(socketPath));
        socket.Listen(16);
        _acceptor = new Acceptor(socket);
        _listener = new RelayListener(_acceptor, new RuntimeSocket(runtimeSocket, TimeProvider.System), _ => route, new ShimMetrics(), log);
        _accepting = new Thread(_listener.Run) { IsBackground = true, Name = "accept" };
        _accepting.Start();
    }

    internal int Connections => _listener.Connections;

    public void Dispose()
    {
        _acceptor.Dispose();
        _accepting.Join();
    }
}
