using System.Net;
using System.Net.Sockets;

namespace ImageCriShim.Tests.Fakes;

/// <summary>A port that nobody listens on, and that nobody else is given meanwhile: connecting to it is refused.</summary>
internal sealed class ClosedPort : IDisposable
{
    private readonly Socket holder = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public ClosedPort() => holder.Bind(new IPEndPoint(IPAddress.Loopback, 0));

    public int Number => ((IPEndPoint)holder.LocalEndPoint!).Port;

    public void Dispose() => holder.Dispose();
}
