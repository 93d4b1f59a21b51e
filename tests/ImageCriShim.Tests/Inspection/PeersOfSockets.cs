using System.Net.Sockets;
using ImageCriShim.Inspection;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Inspection;

/// <summary>Whom a process really calls, as the kernel knows it.</summary>
public sealed class PeersOfSockets : IDisposable
{
    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Are_those_that_it_is_connected_to_and_no_others()
    {
        using var called = Listen("called.sock");
        using var other = Listen("other.sock");
        using var caller = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        caller.Connect(called.LocalEndPoint!);
        using var accepted = called.Accept();
        var peers = UnixPeers.Of([Environment.ProcessId]);
        peers.ShouldContain(_directory.File("called.sock"));
        peers.ShouldNotContain(_directory.File("other.sock"));
        caller.Dispose();
        UnixPeers.Of([Environment.ProcessId]).ShouldNotContain(_directory.File("called.sock"));
    }

    [Fact]
    public void Are_none_of_a_process_that_has_gone() => UnixPeers.Of([int.MaxValue]).ShouldBeEmpty();

    private Socket Listen(string name)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(_directory.File(name)));
        socket.Listen();
        return socket;
    }
}
