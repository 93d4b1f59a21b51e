using System.Net.Sockets;

namespace ImageCriShim.Tests.Fakes;

/// <summary>Which way a frame goes.</summary>
public enum Direction
{
    ToRuntime, ToCaller,
}

/// <summary>
/// A frame-by-frame pass-through on a unix socket that does wrong on purpose: <see cref="Tamper"/> gets every frame and gives what is sent
/// instead, on either side. It shows that the suites notice; without tampering it is a stand-in for the shim.
/// </summary>
public sealed class Proxy : IAsyncDisposable
{
    private readonly Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly string runtimeSocket;
    private readonly List<Task> connections = [];
    private readonly Task accepting;

    private Proxy(string socketPath, string runtimeSocket, Func<Tamper>? tamper)
    {
        (SocketPath, this.runtimeSocket) = (socketPath, runtimeSocket);
        listener.Bind(new UnixDomainSocketEndPoint(socketPath));
        listener.Listen(512);
        accepting = Task.Run(() => AcceptAsync(tamper));
    }

    /// <summary>Gives the frames to send for one that came: on to the peer, or back to the sender.</summary>
    public delegate (Frame[] On, Frame[] Back) Tamper(Direction direction, Frame frame);

    public string SocketPath { get; }

    /// <param name="socketPath">Where it listens.</param>
    /// <param name="runtimeSocket">Where it connects.</param>
    /// <param name="tamper">Asked once for each connection.</param>
    public static Proxy Start(string socketPath, string runtimeSocket, Func<Tamper>? tamper = null) =>
        new(socketPath, runtimeSocket, tamper);

    /// <summary>Tampering with the decoded header blocks of one direction; they are sent on as literals.</summary>
    public static Tamper Headers(Direction tampered, Func<List<Header>, IEnumerable<Header>> change)
    {
        var decoder = new HpackDecoder();
        var block = new List<byte>();
        Frame? first = null;
        return (direction, frame) =>
        {
            if (direction != tampered || frame.Type is not (FrameType.Headers or FrameType.Continuation)) return ([frame], []);
            if (frame.Type == FrameType.Headers)
            {
                first = frame;
                block.Clear();
            }

            block.AddRange(frame.Body);
            if (!frame.Has(FrameFlags.EndHeaders)) return ([], []);
            var changed = Hpack.Encode(change(decoder.Decode(block.ToArray())));
            return (Frame.HeaderBlock(frame.Stream, changed, first!.EndsStream), []);
        };
    }

    public async ValueTask DisposeAsync()
    {
        listener.End();
        await accepting;
        await Task.WhenAll(connections);
    }

    private async Task AcceptAsync(Func<Tamper>? tamper)
    {
        while (true)
        {
            try
            {
                var caller = await listener.AcceptAsync();
                connections.Add(Task.Run(() => SpliceAsync(caller, tamper?.Invoke())));
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task SpliceAsync(Socket caller, Tamper? tamper)
    {
        using var runtime = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        using (caller)
        {
            try
            {
                await runtime.ConnectAsync(new UnixDomainSocketEndPoint(runtimeSocket));
                await using var front = new NetworkStream(caller);
                await using var back = new NetworkStream(runtime);
                var (frontGate, backGate) = (new SemaphoreSlim(1), new SemaphoreSlim(1));
                var down = PumpAsync(front, back, frontGate, backGate, Direction.ToRuntime, tamper);
                var up = PumpAsync(back, front, backGate, frontGate, Direction.ToCaller, tamper);
                await Task.WhenAny(down, up);
            }
            catch (Exception error) when (error is SocketException or IOException)
            {
                // A peer that goes away ends both sides, as without us.
            }
        }
    }

    private static async Task PumpAsync(NetworkStream from, NetworkStream to, SemaphoreSlim fromGate, SemaphoreSlim toGate,
        Direction direction, Tamper? tamper)
    {
        await using var buffered = new BufferedStream(from, 64 * 1024);
        if (direction == Direction.ToRuntime)
        {
            var preface = new byte[RawConnection.Preface.Length];
            await buffered.ReadExactlyAsync(preface);
            await to.WriteAsync(preface);
        }

        var header = new byte[Frame.HeaderLength];
        while (true)
        {
            await buffered.ReadExactlyAsync(header);
            var payload = new byte[header[0] << 16 | header[1] << 8 | header[2]];
            await buffered.ReadExactlyAsync(payload);
            var id = (header[5] & 0x7f) << 24 | header[6] << 16 | header[7] << 8 | header[8];
            var frame = new Frame((FrameType)header[3], (FrameFlags)header[4], id, payload);
            var (on, back) = tamper?.Invoke(direction, frame) ?? ([frame], []);
            await WriteAsync(to, toGate, on);
            await WriteAsync(from, fromGate, back);
        }
    }

    private static async Task WriteAsync(NetworkStream stream, SemaphoreSlim gate, Frame[] frames)
    {
        if (frames.Length == 0) return;
        await gate.WaitAsync();
        try
        {
            foreach (var frame in frames) await stream.WriteAsync(frame.ToBytes());
        }
        finally
        {
            gate.Release();
        }
    }
}
