using System.Net.Sockets;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Relay;

/// <summary>Two ends of one unix connection, blocking, as the relay has them.</summary>
internal sealed class SocketPair : IDisposable
{
    internal SocketPair()
    {
        using var directory = new TempDirectory();
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(directory.File("pair")));
        listener.Listen(1);
        Near = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        Near.Connect(listener.LocalEndPoint!);
        Far = listener.Accept();
    }

    internal Socket Near { get; }

    internal Socket Far { get; }

    public void Dispose()
    {
        Near.Dispose();
        Far.Dispose();
    }
}
