using System.Net;
using System.Net.Sockets;

namespace ImageCriShim.Tests.Node;

/// <summary>
/// A host behind a firewall that drops: a listener whose queue is full, so that the kernel drops every further SYN. Nothing has to be
/// changed in the machine's packet filter for it.
/// </summary>
public sealed class LostPackets : IDisposable
{
    private readonly Socket _listener = new(SocketType.Stream, ProtocolType.Tcp);
    private readonly List<Socket> _queue = [];

    public LostPackets()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(1);
        for (var i = 0; i < 4; i++) // two are queued, two wait in vain
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
            _queue.Add(socket);
            try
            {
                socket.Connect(_listener.LocalEndPoint!);
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
            {
                // Under way, which is all that is wanted.
            }
        }
    }

    public string Host => $"127.0.0.1:{((IPEndPoint)_listener.LocalEndPoint!).Port}";

    public void Dispose()
    {
        _queue.ForEach(socket => socket.Dispose());
        _listener.Dispose();
    }
}
