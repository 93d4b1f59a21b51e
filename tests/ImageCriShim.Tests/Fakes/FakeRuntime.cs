using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;

namespace ImageCriShim.Tests.Fakes;

/// <summary>
/// A runtime of raw frames on a unix socket: the image service of <see cref="FakeImages"/>, the methods of <see cref="FakeMethods"/>, and
/// whatever a test adds with <see cref="On"/>. With <see cref="Connections"/> a test sends and sees any frame.
/// </summary>
public sealed class FakeRuntime : IAsyncDisposable
{
    private const ulong Mark = 0x6d61726b;

    private readonly Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly ConcurrentDictionary<string, Func<FakeCall, Task>> handlers = new();
    private readonly ConcurrentQueue<FakeCall> calls = new();
    private readonly List<RawConnection> connections = [];
    private readonly List<TaskCompletionSource<RawConnection>> awaited = [];
    private readonly ConcurrentQueue<Exception> faults = new();
    private readonly RawOptions options;
    private readonly Task accepting;

    private FakeRuntime(string socketPath, RawOptions options)
    {
        SocketPath = socketPath;
        this.options = options;
        Images.Serve(this);
        FakeMethods.Serve(this);
        File.Delete(socketPath);
        listener.Bind(new UnixDomainSocketEndPoint(socketPath));
        listener.Listen(512);
        accepting = Task.Run(AcceptAsync);
    }

    public string SocketPath { get; }

    public FakeImages Images { get; private set; } = new();

    /// <summary>Every call seen, in order of arrival.</summary>
    public IReadOnlyList<FakeCall> Calls => [.. calls];

    /// <summary>Whether calls are kept in <see cref="Calls"/>; a stress of many calls cannot afford it.</summary>
    public bool KeepCalls { get; set; } = true;

    /// <summary>Every connection accepted, in order; without <see cref="RawOptions.Record"/> only those that stand.</summary>
    public IReadOnlyList<RawConnection> Connections
    {
        get { lock (connections) return [.. connections]; }
    }

    /// <summary>What handlers threw, other than for calls that their caller gave up.</summary>
    public IReadOnlyList<Exception> Faults => [.. faults];

    /// <param name="socketPath">At most 108 bytes.</param>
    /// <param name="options">How its connections behave by themselves.</param>
    public static FakeRuntime Start(string socketPath, RawOptions? options = null) => new(socketPath, options ?? new());

    /// <summary>From now on it is a runtime with these images, which may behave as another one's do.</summary>
    public void Become(FakeImages images)
    {
        Images = images;
        images.Serve(this);
    }

    /// <summary>Adds or replaces the method of that path.</summary>
    public void On(string path, Func<FakeCall, Task> handler) => handlers[path] = handler;

    public void Off(string path) => handlers.TryRemove(path, out _);

    public IEnumerable<FakeCall> CallsOf(string method) => Calls.Where(call => call.Path.EndsWith("/" + method, StringComparison.Ordinal));

    /// <summary>The connection of that number, counted from 0, when it has come.</summary>
    public Task<RawConnection> ConnectionAsync(int number = 0)
    {
        lock (connections)
        {
            if (connections.Count > number) return Task.FromResult(connections[number]);
            while (awaited.Count <= number) awaited.Add(new(TaskCreationOptions.RunContinuationsAsynchronously));
            return awaited[number].Task.WaitAsync(RawConnection.Patience);
        }
    }

    /// <summary>The connection that stands behind a caller's, whatever is between: found by a PING that the caller sends.</summary>
    public async Task<RawConnection> ConnectionOfAsync(RawCaller caller)
    {
        var mark = Frame.Ping(Mark << 32 | (uint)Random.Shared.Next());
        for (var waited = Stopwatch.StartNew(); waited.Elapsed < RawConnection.Patience;)
        {
            caller.Connection.Send(mark); // again and again: one that comes before there is a connection to the runtime is answered by whoever is between
            for (var looks = 0; looks < 200; looks++, await Task.Delay(1)) // a look at each connection is all there is to wait on
                if (Connections.FirstOrDefault(connection => connection.Received.Any(frame => frame.SameAs(mark))) is { } found) return found;
        }

        throw new TimeoutException("the caller's PING does not arrive");
    }

    /// <summary>Whether the frame is a PING of <see cref="ConnectionOfAsync"/> or its answer.</summary>
    public static bool IsMark(Frame frame) => frame.Type == FrameType.Ping && frame.Number == Mark;

    public async ValueTask DisposeAsync()
    {
        listener.End();
        await accepting;
        foreach (var connection in Connections) await connection.DisposeAsync();
        File.Delete(SocketPath);
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            Socket socket;
            try
            {
                socket = await listener.AcceptAsync();
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                return;
            }

            var connection = new RawConnection(socket, isCaller: false, options, stream => _ = Task.Run(() => ServeAsync(stream)));
            lock (connections)
            {
                connections.Add(connection);
                if (awaited.Count >= connections.Count) awaited[connections.Count - 1].SetResult(connection);
            }

            if (!options.Record) _ = ForgetAtEndAsync(connection);
        }
    }

    private async Task ForgetAtEndAsync(RawConnection connection)
    {
        await connection.Closed;
        await connection.DisposeAsync();
        lock (connections) connections.Remove(connection);
    }

    private async Task ServeAsync(RawStream stream)
    {
        var call = new FakeCall(stream, await stream.Headers);
        if (KeepCalls) calls.Enqueue(call);
        await using var registration = call.Cancelled.Register(() => call.CancelledAt = Stopwatch.GetTimestamp());
        try
        {
            if (handlers.TryGetValue(call.Path, out var handler)) await handler(call);
            else call.Fail(12, Unknown(call.Path));
        }
        catch (Exception error) when (IsCallersEnd(error) || call.Cancelled.IsCancellationRequested)
        {
            // The caller has gone; nobody is left to be told. This may come before what is registered above, and takes it away.
            call.CancelledAt ??= Stopwatch.GetTimestamp();
        }
        catch (Exception error)
        {
            faults.Enqueue(error);
            call.Fail(13, error.ToString());
        }
    }

    private static bool IsCallersEnd(Exception error) => error is StreamResetException or ConnectionLostException;

    /// <summary>The texts of grpc-go.</summary>
    private string Unknown(string path)
    {
        var slash = path.LastIndexOf('/');
        var (service, method) = (path[1..slash], path[(slash + 1)..]);
        var isKnown = handlers.Keys.Any(known => known.StartsWith($"/{service}/", StringComparison.Ordinal));
        return isKnown ? $"unknown method {method} for service {service}" : $"unknown service {service}";
    }
}
