using System.Net;
using System.Net.Sockets;

namespace ImageCriShim.Benchmarks;

/// <summary>A host behind a firewall that drops: a listener whose queue is full, so that the kernel drops every further SYN.</summary>
internal sealed class LostPackets : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly List<Socket> _queue = [];

    internal LostPackets()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(1);
        for (var i = 0; i < 4; i++) // two are queued, two wait in vain
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            _queue.Add(socket);
            _ = socket.ConnectAsync(_listener.LocalEndPoint!);
        }
    }

    internal string Address => $"http://{_listener.LocalEndPoint}";

    public void Dispose()
    {
        _queue.ForEach(socket => socket.Dispose());
        _listener.Dispose();
    }
}
