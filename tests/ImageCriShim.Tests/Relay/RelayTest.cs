using System.Net.Sockets;
using ImageCriShim.Metrics;
using ImageCriShim.Relay;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Relay;

/// <summary>
/// A relay between raw callers and a raw runtime, in the process of the test. At the end of each test nothing may be left: no
/// connection, no held byte, no log line of level warning or above that the test did not expect.
/// </summary>
public abstract class RelayTest : IAsyncDisposable
{
    private const string RuntimeEnded = "cannot be connected"; // said of a connection that was only just begun when the test ended

    private readonly TempDirectory _directory = new(inMemory: true);
    private readonly List<IAsyncDisposable> _ending = [];
    private readonly List<string> _expected = [];
    private readonly List<FakeRuntime> _runtimes = [];
    private Acceptor? _acceptor;
    private Thread? _accepting;

    private protected CapturingLog Log { get; } = new();

    private protected FakeEdits Edits { get; } = new();

    /// <summary>The clock by which the relay waits for a runtime that is away.</summary>
    private protected TimeProvider RuntimeClock { get; init; } = TimeProvider.System;

    private protected FakeRuntime Runtime => _runtimes[^1];

    private protected RelayListener Listener { get; private set; } = null!;

    private protected string RuntimeSocketPath => _directory.File("cri.sock");

    private protected string ShimSocketPath => _directory.File("shim.sock");

    public async ValueTask DisposeAsync()
    {
        var complaints = Log.Complaints.Count();
        foreach (var end in Enumerable.Reverse(_ending))
            await end.DisposeAsync();
        if (_accepting is not null)
        {
            StopAccepting();
            _accepting.Join(RawConnection.Patience);
            await Wait.Until(() => Listener.Connections == 0, "every connection has ended");
            await Wait.Until(() => Listener.HeldBytes == 0, "no byte is held any more");
        }

        _directory.Dispose();
        Log.Complaints.Where((line, i) => !_expected.Any(line.Contains) && (i < complaints || !line.Contains(RuntimeEnded))).ShouldBeEmpty();
        _runtimes.SelectMany(runtime => runtime.Faults).ShouldBeEmpty();
        GC.SuppressFinalize(this);
    }

    private protected FakeRuntime StartRuntime(RawOptions? options = null)
    {
        var runtime = FakeRuntime.Start(RuntimeSocketPath, options);
        FakeEdits.Serve(runtime);
        _runtimes.Add(runtime);
        return AtEnd(runtime);
    }

    private protected void StartRelay(BeginRouting? begin = null)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(ShimSocketPath));
        socket.Listen(512);
        _acceptor = new Acceptor(socket);
        Listener = new RelayListener(_acceptor, new RuntimeSocket(RuntimeSocketPath, RuntimeClock), begin ?? (_ => Edits.Route), new ShimMetrics(), Log);
        _accepting = new Thread(Listener.Run);
        _accepting.Start();
    }

    /// <summary>A method that answers when it is told to.</summary>
    private protected TaskCompletionSource Hold(string path)
    {
        var finish = new TaskCompletionSource();
        Runtime.On(path, async call =>
        {
            await call.ReadRequestAsync();
            await finish.Task;
            await call.AnswerAsync([1]);
        });
        return finish;
    }

    /// <summary>A call that has reached the runtime.</summary>
    private protected async Task<RawStream> StartCall(RawCaller caller, string path)
    {
        var stream = caller.Start(path);
        await stream.SendMessageAsync([1], end: true);
        var behind = await Runtime.ConnectionOfAsync(caller);
        await Wait.Until(() => behind.Received.Any(frame => frame.Stream == stream.Id && frame.Type is Fakes.FrameType.Data), "the call is there");
        return stream;
    }

    private protected void StopAccepting() => _acceptor!.Dispose();

    private protected async Task<RawCaller> Connect(RawOptions? options = null) =>
        AtEnd(await RawCaller.ConnectAsync(ShimSocketPath, options));

    /// <summary>Runtime, relay, a caller, and the connection to the runtime that is the caller's.</summary>
    private protected async Task<(RawCaller Caller, RawConnection Runtime)> Begin(RawOptions? caller = null, RawOptions? runtime = null)
    {
        StartRuntime(runtime);
        StartRelay();
        var connected = await Connect(caller);
        return (connected, await Runtime.ConnectionAsync());
    }

    /// <summary>A socket as its owner treats it: nothing is read or written by itself.</summary>
    private protected Socket ConnectBare()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
        {
            SendTimeout = (int)RawConnection.Patience.TotalMilliseconds,
            ReceiveTimeout = (int)RawConnection.Patience.TotalMilliseconds,
        };
        socket.Connect(new UnixDomainSocketEndPoint(ShimSocketPath));
        return socket;
    }

    /// <summary>Warnings and errors with this text are part of the situation.</summary>
    private protected void Expect(string text) => _expected.Add(text);

    private protected T AtEnd<T>(T ending)
        where T : IAsyncDisposable
    {
        _ending.Add(ending);
        return ending;
    }
}
