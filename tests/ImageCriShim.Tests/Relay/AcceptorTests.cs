using System.Net.Sockets;
using ImageCriShim.Relay;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Relay;

public sealed class AcceptorTests : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    public AcceptorTests()
    {
        _listener.Bind(EndPoint);
        _listener.Listen(8);
    }

    private UnixDomainSocketEndPoint EndPoint => new(_directory.File("s"));

    public void Dispose()
    {
        _listener.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task Is_accepting_while_a_thread_waits_for_callers_and_not_while_it_is_elsewhere()
    {
        using var acceptor = new Acceptor(_listener);
        acceptor.IsAccepting(TimeSpan.FromMilliseconds(50)).ShouldBeFalse();
        var accepting = Task.Run(acceptor.Accept, TestContext.Current.CancellationToken);
        acceptor.IsAccepting(RawConnection.Patience).ShouldBeTrue();
        acceptor.IsAccepting(RawConnection.Patience).ShouldBeTrue();
        using var caller = Connect();
        using var accepted = await accepting.WaitAsync(RawConnection.Patience, TestContext.Current.CancellationToken);
        acceptor.IsAccepting(TimeSpan.FromMilliseconds(50)).ShouldBeFalse(); // it has its caller, and does not come back
    }

    [Fact]
    public async Task What_it_accepts_blocks_as_pumps_need_it()
    {
        using var acceptor = new Acceptor(_listener);
        using var caller = Connect();
        using var accepted = acceptor.Accept();
        var received = Task.Run(() => accepted.Receive(new byte[1]), TestContext.Current.CancellationToken);
        await Wait.AWhile();
        received.IsCompleted.ShouldBeFalse();
        caller.Send([1]);
        (await received.WaitAsync(RawConnection.Patience, TestContext.Current.CancellationToken)).ShouldBe(1);
    }

    // That it does not hurt a socket that systemd holds as well is in Hosting/SocketActivation.cs.
    [Fact]
    public async Task Ends_the_wait_when_it_is_disposed_of()
    {
        var acceptor = new Acceptor(_listener);
        var accepting = Task.Run(acceptor.Accept, TestContext.Current.CancellationToken);
        acceptor.IsAccepting(RawConnection.Patience).ShouldBeTrue(); // it waits
        acceptor.Dispose();
        await Should.ThrowAsync<ObjectDisposedException>(accepting.WaitAsync(RawConnection.Patience, TestContext.Current.CancellationToken));
        acceptor.IsAccepting(TimeSpan.FromMilliseconds(50)).ShouldBeFalse();
        Should.Throw<SocketException>(Connect);
    }

    private Socket Connect()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(EndPoint);
        return socket;
    }
}
