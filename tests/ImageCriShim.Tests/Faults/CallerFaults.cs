using System.Net.Sockets;
using System.Text;
using ImageCriShim.Tests.Fakes;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Faults;

/// <summary>A caller that misbehaves costs the others nothing.</summary>
[Collection<FaultTests>]
[Trait("suite", "faults")]
public sealed class CallerFaults(FaultNode node)
{
    private const string ListImages = "/runtime.v1.ImageService/ListImages";
    private const string ListPodSandbox = "/runtime.v1.RuntimeService/ListPodSandbox";
    private const long MostMemory = 300 * 1024 * 1024; // the bound of what is held for callers who do not read is 65 MiB for each

    private static readonly TimeSpan s_lasts = TimeSpan.FromSeconds(4);

    private readonly List<IDisposable> _opened = [];

    [Fact]
    public async Task Of_a_thousand_connections_those_beyond_the_limit_are_refused_and_nobody_else_notices()
    {
        await using var scene = await Scene.Set(node, "a caller that opens 1,000 connections");

        var effect = await scene.Suffer(() => Connect(scene, 1000), s_lasts, Close);

        effect.ShouldOnlyHaveFailed((Workload.Crictl, GrpcStatus.ResourceExhausted), (Workload.Crictl, GrpcStatus.Unavailable));
        scene.Shim.Starts.ShouldBe(1);
    }

    [Fact]
    public async Task Callers_that_ask_and_never_read_cost_a_bounded_amount_of_memory()
    {
        await using var scene = await Scene.Set(node, "callers that ask and never read");

        var effect = await scene.Suffer(() => AskInVain(scene, callers: 4, calls: 5000), s_lasts, Close);

        effect.ShouldNotHaveFailed();
        scene.Shim.Starts.ShouldBe(1);
        Processes.ResidentBytes(scene.Shim.Pid).ShouldBeLessThan(MostMemory);
    }

    [Fact]
    public async Task Garbage_ends_the_connection_that_it_came_on()
    {
        await using var scene = await Scene.Set(node, "callers that send garbage");

        var effect = await scene.Suffer(() => SendGarbage(scene, 300), TimeSpan.FromSeconds(1), Close);

        effect.ShouldNotHaveFailed();
        scene.Shim.Starts.ShouldBe(1);
    }

    [Fact]
    public async Task A_caller_that_resets_ten_thousand_streams_disturbs_nobody()
    {
        await using var scene = await Scene.Set(node, "a caller that resets 10,000 streams");

        var effect = await scene.Suffer(() => ResetStreams(scene, 10_000), TimeSpan.FromSeconds(1), Close);

        effect.ShouldNotHaveFailed();
        scene.Shim.Starts.ShouldBe(1);
    }

    private async Task<Socket> Connect(Scene scene)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        _opened.Add(socket);
        while (true)
        {
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(scene.Shim.SocketPath), TestContext.Current.CancellationToken);
                return socket;
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock)
            {
                await Task.Delay(5); // the backlog is full, which connecting to a unix socket does not wait for
            }
        }
    }

    private async Task Connect(Scene scene, int connections)
    {
        for (var i = 0; i < connections; i++)
        {
            var socket = await Connect(scene);
            await SendAll(socket, [.. RawConnection.Preface, .. Frame.SettingsOf([]).ToBytes()]);
        }
    }

    private async Task AskInVain(Scene scene, int callers, int calls)
    {
        byte[] beginning =
        [
            .. RawConnection.Preface, .. Frame.SettingsOf([(Http2Setting.InitialWindowSize, int.MaxValue)]).ToBytes(),
            .. Frame.WindowUpdate(0, int.MaxValue - 65535).ToBytes(),
        ];
        for (var caller = 0; caller < callers; caller++)
        {
            var socket = await Connect(scene);
            _ = SendAll(socket, [.. beginning, .. Enumerable.Range(0, calls).SelectMany(call => Call(1 + 2 * call))]);
        }
    }

    private static byte[] Call(int stream)
    {
        Header[] fields =
        [
            (":method", "POST"), (":scheme", "http"), (":path", stream % 4 == 1 ? ListImages : ListPodSandbox), (":authority", "localhost"),
            ("content-type", "application/grpc"), ("te", "trailers"),
        ];
        return [.. Frame.HeaderBlock(stream, Hpack.Encode(fields)).SelectMany(frame => frame.ToBytes()), .. Frame.Data(stream, GrpcMessage.Encode([]), end: true).ToBytes()];
    }

    /// <summary>A hundred at a time, which leaves the others far from the limit however slow the machine is.</summary>
    private async Task SendGarbage(Scene scene, int connections)
    {
        const int atOnce = 100;
        var random = new Random(1);
        var sending = new Queue<Socket>();
        for (var i = 0; i < connections; i++)
        {
            var noise = new byte[random.Next(1, 5000)];
            random.NextBytes(noise);
            byte[] sent = (i % 4) switch
            {
                0 => noise,
                1 => [.. RawConnection.Preface, .. noise],
                2 => Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
                _ => [.. RawConnection.Preface, .. Frame.SettingsOf([]).ToBytes(), .. Call(1), .. noise],
            };
            if (sending.Count == atOnce)
                await EndOf(sending.Dequeue());
            sending.Enqueue(await Connect(scene));
            await SendAll(sending.Last(), sent);
        }
    }

    /// <summary>Says that nothing follows, and waits until the shim has closed the connection.</summary>
    private static async Task EndOf(Socket socket)
    {
        try
        {
            socket.Shutdown(SocketShutdown.Send);
            while (await socket.ReceiveAsync(new byte[4096]) > 0)
            {
                // What it says before that.
            }
        }
        catch (SocketException)
        {
            // It had closed it before.
        }
    }

    private async Task ResetStreams(Scene scene, int streams)
    {
        var caller = await RawCaller.ConnectAsync(scene.Shim.SocketPath, new() { Record = false });
        _opened.Add(new Ending(caller));
        for (var i = 0; i < streams; i++)
        {
            var stream = caller.Start(i % 2 == 0 ? ListImages : ListPodSandbox);
            if (i % 3 == 0)
                await stream.SendMessageAsync(Message(), end: true);
            stream.Cancel();
        }
    }

    private static async Task SendAll(Socket socket, byte[] bytes)
    {
        try
        {
            for (var sent = 0; sent < bytes.Length;)
                sent += await socket.SendAsync(bytes.AsMemory(sent));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Thrown out, or the fault is over.
        }
    }

    private Task Close()
    {
        _opened.ForEach(opened => opened.Dispose());
        return Task.CompletedTask;
    }

    private sealed class Ending(RawCaller caller) : IDisposable
    {
        public void Dispose() => caller.Connection.Abort();
    }
}
