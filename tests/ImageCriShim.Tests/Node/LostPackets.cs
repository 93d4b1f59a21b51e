using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace ImageCriShim.Tests.Node;

/// <summary>
/// A host behind a firewall that drops: a listener whose queue is full, so that the kernel drops every further SYN. Nothing has to be
/// changed in the machine's packet filter for it.
/// </summary>
public sealed class LostPackets : IDisposable
{
    /// <summary>How many attempts of its own wait in vain.</summary>
    public const int Own = 2;

    private readonly Socket _listener;
    private readonly List<Socket> _queue = [];

    public LostPackets()
        : this(IPAddress.Loopback, 0)
    {
    }

    public LostPackets(IPAddress address, int port)
    {
        _listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        _listener.Bind(new IPEndPoint(address, port));
        _listener.Listen(1);
        for (var i = 0; i < 2 + Own; i++) // two are queued
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
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

    /// <summary>How many connections to it are being tried, its own two included.</summary>
    public int Attempts => IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpConnections()
        .Count(connection => connection.State == TcpState.SynSent && connection.RemoteEndPoint.Equals(_listener.LocalEndPoint));

    public string Host => $"127.0.0.1:{((IPEndPoint)_listener.LocalEndPoint!).Port}";

    public void Dispose()
    {
        _queue.ForEach(socket => socket.Dispose());
        _listener.Dispose();
    }
}
