using System.Net.Sockets;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Relay;

/// <summary>Rule 11: a caller waits for a runtime that is away, then is told so, then is served again.</summary>
public sealed class RuntimeAway : RelayTest
{
    private readonly FakeTime _time = new();

    public RuntimeAway() => RuntimeClock = _time;

    [Fact]
    public async Task A_call_is_answered_UNAVAILABLE_with_socket_and_reason_after_three_seconds()
    {
        Expect("cannot be connected: there is no such socket");
        StartRelay();
        var caller = await Connect(new() { Encoder = RawOptions.Indexing });
        var answers = Task.WhenAll(Enumerable.Range(0, 3).Select(_ => caller.CallAsync("/test.Fake/Unary", [1])));
        await Wait.Until(() => Listener.Connections == 1, "the caller is there");
        await Wait.AWhile(); // it is held
        _time.Advance(TimeSpan.FromSeconds(2.9));
        await Wait.AWhile();
        answers.IsCompleted.ShouldBeFalse();
        var calls = await LosePatience(answers);
        calls.ShouldAllBe(answer => answer.Status == 14);
        var reason = $"the container runtime's socket {RuntimeSocketPath} cannot be connected: there is no such socket";
        calls[0].Message.ShouldBe($"image-cri-shim: {reason}");
        await caller.Connection.WaitForFrame(FrameType.GoAway);
        await Wait.For(caller.Connection.Closed); // so that it comes back
    }

    [Fact]
    public async Task A_runtime_that_comes_while_the_caller_waits_serves_the_call_as_if_nothing_had_been()
    {
        StartRelay();
        var caller = await Connect();
        var call = caller.CallAsync("/test.Fake/Unary", [1]);
        await Wait.AWhile(); // it is held
        _time.Advance(TimeSpan.FromSeconds(2)); // it is not there yet
        call.IsCompleted.ShouldBeFalse();
        StartRuntime();
        (await call).Single.ShouldBe([1]);
    }

    [Fact]
    public async Task A_caller_that_waits_is_greeted_at_once_and_the_runtime_hears_nothing_of_it()
    {
        StartRelay();
        var caller = await Connect(new() { Encoder = RawOptions.Indexing, Settings = [(Http2Setting.HeaderTableSize, 100)] });
        await caller.Connection.WaitForFrame(FrameType.Settings); // gRPC sends no call before
        string[] paths = ["/test.Fake/Unary", "/edit/Answer", "/edit/Watch", "/old/Echo"];
        var calls = paths.Select(path => caller.CallAsync(path, new byte[3000])).ToArray();
        await Wait.AWhile(); // they are held

        StartRuntime();

        foreach (var call in calls)
            (await call).Status.ShouldBe(0);
        (await caller.CallAsync("/test.Fake/Unary", [2])).Single.ShouldBe([2]);
        var runtime = await Runtime.ConnectionAsync();
        runtime.Received.Count(frame => frame.SameAs(Frame.SettingsAck)).ShouldBe(1);
        caller.Connection.Received.Count(frame => frame.Type == FrameType.Settings && !frame.Has(FrameFlags.Ack)).ShouldBe(2);
        caller.Connection.Received.Count(frame => frame.SameAs(Frame.SettingsAck)).ShouldBe(1);
    }

    [Fact]
    public async Task A_call_whose_deadline_comes_first_hears_the_reason_before_it()
    {
        Expect("cannot be connected: there is no such socket");
        StartRelay();
        var call = (await Connect()).CallAsync("/test.Fake/Unary", [1], new Header("grpc-timeout", "400n"));
        await Wait.Until(
            () =>
            {
                _time.Advance(TimeSpan.FromTicks(1)); // so that it takes more looks than there is time for to reach three seconds
                return call.IsCompleted;
            },
            "it is answered");
        (await call).Status.ShouldBe(14);
        (await call).Message.ShouldEndWith("cannot be connected: there is no such socket");
    }

    [Fact]
    public async Task A_runtime_that_comes_back_serves_the_next_connection_at_once()
    {
        Expect("cannot be connected");
        StartRelay();
        var refused = await Connect();
        (await LosePatience(refused.CallAsync("/test.Fake/Unary", [1]))).Status.ShouldBe(14);
        StartRuntime();
        await Wait.Until(
            () =>
            {
                refused.Start("/test.Fake/Unary"); // it is never quiet, and is told to come back all the same
                return refused.Connection.Closed.IsCompleted;
            },
            "the connection is closed");
        (await (await Connect()).CallAsync("/test.Fake/Unary", [1])).Single.ShouldBe([1]); // no time passes meanwhile
        Log.Lines.Count(line => line.StartsWith("1004 ", StringComparison.Ordinal)).ShouldBe(1); // it is back
    }

    [Fact]
    public async Task That_it_is_away_is_said_once()
    {
        Expect("cannot be connected");
        StartRelay();
        var callers = new List<RawCaller>();
        for (var i = 0; i < 10; i++)
            callers.Add(await Connect());
        var answers = await LosePatience(Task.WhenAll(callers.Select(caller => caller.CallAsync("/test.Fake/Unary", [1]))));
        answers.ShouldAllBe(answer => answer.Status == 14);
        Log.Complaints.Count().ShouldBe(1);
    }

    [Fact]
    public async Task A_caller_that_goes_while_it_waits_is_forgotten()
    {
        StartRelay();
        var caller = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        caller.Connect(new UnixDomainSocketEndPoint(ShimSocketPath));
        await Wait.Until(() => Listener.Connections == 1, "it is there");
        caller.Dispose();
        await Wait.Until(() => Listener.Connections == 0, "it is gone"); // although no time passes
        Expect("cannot be connected");
    }

    [Fact]
    public async Task A_runtime_that_restarts_ends_connections_and_serves_the_new_ones()
    {
        StartRuntime();
        StartRelay();
        var before = await Connect();
        (await before.CallAsync("/edit/Refuse", [1])).Status.ShouldBe(0);
        await Runtime.DisposeAsync();
        await Wait.For(before.Connection.Closed);
        var during = (await Connect()).CallAsync("/edit/Refuse", [2]);
        StartRuntime();
        (await during).Single.ShouldBe([2]);
    }

    [Fact]
    public async Task A_runtime_that_restarts_while_a_connection_begins_serves_it_when_it_is_back()
    {
        StartRuntime();
        var begun = 0;
        StartRelay(_ =>
        {
            if (begun++ == 0)
            {
                StopRuntime();
                StartRuntime();
            }

            return Edits.Route;
        });
        (await (await Connect()).CallAsync("/test.Fake/Unary", [1])).Single.ShouldBe([1]);
        begun.ShouldBe(2);
    }

    [Fact]
    public async Task A_runtime_that_ends_while_a_connection_begins_and_stays_away_is_said_to_be_away()
    {
        Expect("cannot be connected");
        StartRuntime();
        StartRelay(_ =>
        {
            StopRuntime();
            return Edits.Route;
        });
        var answer = await LosePatience((await Connect()).CallAsync("/test.Fake/Unary", [1]));
        answer.Status.ShouldBe(14);
        answer.Message.ShouldContain("cannot be connected");
    }

    /// <summary>A runtime that hangs does not accept; connecting to its socket would wait for as long.</summary>
    [Fact]
    public async Task A_runtime_that_accepts_nobody_is_away_too()
    {
        Expect("accepts no connections at the moment");
        using var hung = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        hung.Bind(new UnixDomainSocketEndPoint(RuntimeSocketPath));
        hung.Listen(1);
        var fillers = new List<Socket>();
        for (var i = 0; i < 2; i++)
        {
            fillers.Add(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified));
            fillers[i].Connect(new UnixDomainSocketEndPoint(RuntimeSocketPath));
        }

        StartRelay();
        var caller = await Connect();
        var answer = await LosePatience(caller.CallAsync("/test.Fake/Unary", [1]));
        answer.Status.ShouldBe(14);
        answer.Message.ShouldContain("accepts no connections at the moment");
        fillers.ForEach(filler => filler.Dispose());
    }

    [Theory]
    [InlineData("PING")]
    [InlineData("a bomb")]
    [InlineData("not HTTP/2")]
    public async Task Whatever_a_caller_sends_meanwhile_does_no_harm(string what)
    {
        Expect("cannot be connected");
        StartRelay();
        var caller = await Connect(new() { SendSettings = false });
        byte[] begin = [.. RawConnection.Preface, .. Frame.SettingsOf().ToBytes()];
        caller.Connection.SendBytes(what switch
        {
            "PING" => [.. begin, .. Enumerable.Repeat(Frame.Ping(1).ToBytes(), 20_000).SelectMany(bytes => bytes)],
            "a bomb" => [.. begin, .. Floods.Bomb(1).ToBytes()],
            _ => "GET / HTTP/1.1\r\n\r\n"u8.ToArray(),
        });
        await LosePatience(caller.Connection.Closed);
        StartRuntime();
        (await (await Connect()).CallAsync("/test.Fake/Unary", [1])).Single.ShouldBe([1]);
    }

    private void StopRuntime() => Runtime.DisposeAsync().AsTask().GetAwaiter().GetResult();

    /// <summary>Lets time pass until callers are held no longer: the time for which each is held begins at a moment of its own.</summary>
    private async Task<T> LosePatience<T>(Task<T> answer)
    {
        await LosePatience((Task)answer);
        return await answer;
    }

    private Task LosePatience(Task answer) => Wait.Until(() =>
    {
        _time.Advance(global::ImageCriShim.Relay.RuntimeSocket.Patience);
        return answer.IsCompleted;
    });
}
