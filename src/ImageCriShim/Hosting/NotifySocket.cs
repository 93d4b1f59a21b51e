using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ImageCriShim.Hosting;

/// <summary>Where systemd, or whoever speaks like it, hears from a service: sd_notify(3).</summary>
internal sealed class NotifySocket : IDisposable
{
    private readonly EndPoint _manager;
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified)
    {
        SendTimeout = 1000, // milliseconds; a manager that does not read must not hold us up
    };

    private NotifySocket(EndPoint manager, string path) => (_manager, Path) = (manager, path);

    /// <summary>As systemd wrote it into our environment.</summary>
    internal string Path { get; }

    /// <summary>Once: what we start must not speak for us.</summary>
    /// <returns>Null where nobody wants to hear.</returns>
    internal static NotifySocket? FromEnvironment()
    {
        var path = InheritedSocket.TakeVariable("NOTIFY_SOCKET");
        try
        {
            return path switch
            {
                ['/', ..] => new NotifySocket(new UnixDomainSocketEndPoint(path), path),
                ['@', .. var name] => new NotifySocket(new UnixDomainSocketEndPoint($"\0{name}"), path),
                _ => null, // vsock: is for virtual machines as a whole
            };
        }
        catch (ArgumentOutOfRangeException) // longer than a socket's path can be
        {
            return null;
        }
    }

    /// <param name="assignments">Such as <c>READY=1</c>.</param>
    internal void Send(params ReadOnlySpan<string> assignments)
    {
        try
        {
            _socket.SendTo(Encoding.UTF8.GetBytes(string.Join('\n', assignments!)), _manager);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Nobody listens any more. It is not for us to fail with them.
        }
    }

    public void Dispose() => _socket.Dispose();
}
