using ImageCriShim.Relay;

namespace ImageCriShim.Tests.Relay;

public sealed class FrameWriterTests : IDisposable
{
    private readonly SocketPair _sockets = new();

    public void Dispose() => _sockets.Dispose();

    [Fact]
    public void Nothing_leaves_before_it_is_opened_and_the_first_goes_first()
    {
        var writer = new FrameWriter(_sockets.Near, held: true);
        writer.Append([2]);
        writer.Append([3], [4]);
        writer.FlushSoon();
        writer.Send([]);
        _sockets.Far.Available.ShouldBe(0);
        writer.OpenWith([1]);
        writer.Send([5]);
        Read(5).ShouldBe([1, 2, 3, 4, 5]);
    }

    [Fact]
    public void What_is_appended_is_flushed_in_order_by_somebody_else()
    {
        var writer = new FrameWriter(_sockets.Near, held: false);
        for (var i = 0; i < 10_000; i++)
        {
            writer.Append([(byte)i]);
            writer.FlushSoon();
        }

        Read(10_000).ShouldBe(Enumerable.Range(0, 10_000).Select(i => (byte)i));
    }

    [Fact]
    public void More_than_anybody_asks_for_ends_the_connection()
    {
        var writer = new FrameWriter(_sockets.Near, held: false);
        writer.Append(new byte[RelayLimits.PendingBytes]);
        Should.Throw<Http2ProtocolException>(() => writer.Append([1]));
    }

    [Fact]
    public void A_peer_that_does_not_read_takes_no_thread_of_the_pool()
    {
        const int flushes = 20;
        var writer = new FrameWriter(_sockets.Near, held: false);
        FillSocket();
        ThreadPool.GetMinThreads(out var threads, out _);
        threads = Math.Max(threads, ThreadPool.ThreadCount);
        for (var i = 0; i < flushes; i++)
        {
            writer.Append([1]);
            writer.FlushSoon();
            using var ran = new ManualResetEventSlim();
            ThreadPool.UnsafeQueueUserWorkItem(done => done.Set(), ran, preferLocal: false);
            ran.Wait(Fakes.RawConnection.Patience, TestContext.Current.CancellationToken).ShouldBeTrue("the pool does not work any more");
        }

        ThreadPool.ThreadCount.ShouldBeLessThan(threads + flushes / 2, "every flush waits on a thread of its own");
    }

    private void FillSocket()
    {
        _sockets.Near.SendBufferSize = 1; // the kernel's least
        _sockets.Near.Blocking = false;
        Should.Throw<System.Net.Sockets.SocketException>(() =>
        {
            while (true)
                _sockets.Near.Send(new byte[1000]);
        });
        _sockets.Near.Blocking = true;
    }

    private byte[] Read(int count)
    {
        var octets = new byte[count];
        for (var read = 0; read < count;)
            read += _sockets.Far.Receive(octets.AsSpan(read));
        return octets;
    }
}
