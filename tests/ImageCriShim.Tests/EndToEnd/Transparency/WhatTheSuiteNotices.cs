using ImageCriShim.Tests.Fakes;
namespace ImageCriShim.Tests.EndToEnd.Transparency;

/// <summary>A suite that cannot fail proves nothing: each of these proxies does one thing wrong and must be found out.</summary>
[Trait("suite", "endtoend")]
[Collection<ByTheClock>]
public sealed class WhatTheSuiteNotices
{
    private static readonly Dictionary<string,
        (Stack Caller, string Runtime, string Group, string Scenario, Func<Proxy.Tamper> Tamper)> Wrongs = new()
        {
            ["a byte of a message changed"] = (Stack.Python, "python", "calls", "unary", () => (direction, frame) =>
                ([Spoil(direction, frame)], [])),
            ["a byte of one message of 10,000 changed"] = (Stack.Node, "raw", "calls", "server_streaming_of_10000_messages", SpoilOne),
            ["status details dropped"] = (Stack.Node, "python", "calls", "status_details", () =>
                Proxy.Headers(Direction.ToCaller, Without("grpc-status-details-bin"))),
            ["the status text changed"] = (Stack.Python, "python", "calls", "unknown_service_and_method", () =>
                Proxy.Headers(Direction.ToCaller, Changed("grpc-message", "unknown"))),
            ["the status code changed"] = (Stack.Node, "raw", "calls", "every_status_code", () =>
                Proxy.Headers(Direction.ToCaller, Changed("grpc-status", "2"))),
            ["repeated metadata taken for one"] = (Stack.Python, "python", "calls", "repeated_and_binary_metadata", () =>
                Proxy.Headers(Direction.ToRuntime, fields => fields.DistinctBy(field => field.Name))),
            ["metadata given a field"] = (Stack.Node, "node", "calls", "what_the_runtime_sees", () =>
                Proxy.Headers(Direction.ToRuntime, fields => [.. fields, ("via", "proxy")])),
            ["large metadata dropped"] = (Stack.Node, "raw", "calls", "metadata_of_60_KB", () =>
                Proxy.Headers(Direction.ToRuntime, fields => fields.Where(field => field.Value.Length < 10_000))),
            ["the authority replaced"] = (Stack.Python, "python", "calls", "authorities", () =>
                Proxy.Headers(Direction.ToRuntime, Changed(":authority", "localhost"))),
            ["the deadline kept from the runtime"] = (Stack.Python, "python", "calls", "deadline_exceeded", () =>
                Proxy.Headers(Direction.ToRuntime, Without("grpc-timeout"))),
            ["accepted encodings dropped"] = (Stack.Python, "raw", "calls", "what_the_runtime_sees", () =>
                Proxy.Headers(Direction.ToRuntime, Without("grpc-accept-encoding"))),
            ["trailers sent as headers"] = (Stack.Python, "raw", "calls", "errors_after_data", () =>
                Proxy.Headers(Direction.ToCaller, fields => fields.Where(field => !field.Name.StartsWith("echo-", StringComparison.Ordinal)))),
            ["pings answered by the proxy"] = (Stack.Python, "python", "strict", "keepalive_that_the_runtime_forbids", () => AnswerPings),
            ["pings of grpc-go answered by the proxy"] = (Stack.Go, "go", "strict", "keepalive_that_the_runtime_forbids", () => AnswerPings),
            ["a byte of a message to grpc-go changed"] = (Stack.Go, "go", "calls", "unary", () => (direction, frame) =>
                ([Spoil(direction, frame)], [])),
            ["the path as authority replaced"] = (Stack.OldGo, "go", "calls", "authorities", () =>
                Proxy.Headers(Direction.ToRuntime, fields => fields.Select(field =>
                    field is { Name: ":authority", Value: ['/', ..] } ? new(field.Name, "localhost") : field))),
        };

    public static TheoryData<string> Names => [.. Wrongs.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Is_noticed(string wrong)
    {
        var (caller, runtime, group, scenario, tamper) = Wrongs[wrong];
        using var directory = new TempDirectory();
        var (socket, stop) = await Comparison.StartRuntimeAsync(directory, runtime, group);
        await using (stop)
        {
            var direct = await Peer.CallAsync(caller, socket, group, scenario);
            await using var honest = Proxy.Start(directory.File("a.sock"), socket);
            Difference.Of(direct[scenario].Result, (await Peer.CallAsync(caller, honest.SocketPath, group, scenario))[scenario].Result)
                .ShouldBeEmpty();
            await using var proxy = Proxy.Start(directory.File("b.sock"), socket, tamper);
            Difference.Of(direct[scenario].Result,
                (await Peer.CallAsync(caller, proxy.SocketPath, group, scenario))[scenario].Result).ShouldNotBeEmpty();
        }
    }

    private static readonly Dictionary<string, (string Exchange, Func<Direction, Frame, Frame?> Change)> WrongFrames = new()
    {
        ["padding taken off"] = ("padded frames both ways", (_, frame) =>
            frame.Has(FrameFlags.Padded) && frame.Type == FrameType.Data ? Frame.Data(frame.Stream, frame.Body, frame.EndsStream) : frame),
        ["empty DATA dropped"] = ("empty DATA between messages and at the end", (_, frame) =>
            frame is { Type: FrameType.Data, Payload: [], EndsStream: false } ? null : frame),
        ["PRIORITY dropped"] = ("priorities in HEADERS and in PRIORITY, of streams open, idle and closed", (_, frame) =>
            frame.Type == FrameType.Priority ? null : frame),
        ["unknown frames dropped"] = ("frames of unknown types, on a stream and on the connection", (_, frame) =>
            frame.Type > FrameType.Continuation ? null : frame),
        ["the error of a reset changed"] = ("the runtime resets: before headers, after headers, after data, after an early end",
            (_, frame) => frame.Type == FrameType.RstStream ? Frame.RstStream(frame.Stream, Http2Error.Cancel) : frame),
        ["the text of GOAWAY dropped"] = ("a graceful GOAWAY from the runtime, and calls in flight that end well", (_, frame) =>
            frame.Type == FrameType.GoAway ? frame with { Payload = frame.Payload[..8] } : frame),
        ["a window made larger"] = ("windows of streams and of the connection", (_, frame) =>
            frame is { Type: FrameType.WindowUpdate, Stream: 1 } ? Frame.WindowUpdate(1, (int)frame.Number + 1) : frame),
        ["an unknown setting dropped"] = ("settings changed in the middle, unknown ones among them",
            (_, frame) => frame.Type == FrameType.Settings && !frame.Has(FrameFlags.Ack)
                ? Frame.SettingsOf([.. frame.Settings.Where(setting => (ushort)setting.Id < 100)]) : frame),
    };

    public static TheoryData<string> NamesOfWrongFrames => [.. WrongFrames.Keys];

    [Theory]
    [MemberData(nameof(NamesOfWrongFrames))]
    public async Task Is_noticed_in_frames(string wrong)
    {
        var (exchange, change) = WrongFrames[wrong];
        using var directory = new TempDirectory();
        await using var runtime = FakeRuntime.Start(directory.File("cri.sock"));
        runtime.On(Exchanges.Path, _ => Task.CompletedTask);
        await using var honest = Proxy.Start(directory.File("a.sock"), runtime.SocketPath);
        await using var proxy = Proxy.Start(directory.File("b.sock"), runtime.SocketPath, () => (direction, frame) =>
            (change(direction, frame) is { } on ? [on] : [], []));
        var direct = await Exchanges.PlayAsync(exchange, runtime, runtime.SocketPath, new());
        Difference.Of(direct, await Exchanges.PlayAsync(exchange, runtime, honest.SocketPath, new())).ShouldBeEmpty();
        Difference.Of(direct, await Exchanges.PlayAsync(exchange, runtime, proxy.SocketPath, new())).ShouldNotBeEmpty();
    }

    [Fact]
    public async Task A_cancellation_that_is_held_back_is_noticed()
    {
        using var directory = new TempDirectory();
        await using var runtime = FakeRuntime.Start(directory.File("cri.sock"));
        await using var proxy = Proxy.Start(directory.File("b.sock"), runtime.SocketPath, () => (_, frame) =>
        {
            if (frame.Type == FrameType.RstStream) Thread.Sleep(150); // the wrong that is to be noticed
            return ([frame], []);
        });
        var results = await Peer.CallAsync(Stack.Python, proxy.SocketPath, "calls", "cancellation_is_seen");
        results["cancellation_is_seen"].Measured["cancellation ms"]!.AsArray().Min(ms => (double)ms!).ShouldBeGreaterThan(100);
    }

    private static (Frame[] On, Frame[] Back) AnswerPings(Direction direction, Frame frame) =>
        direction == Direction.ToRuntime && frame.Type == FrameType.Ping && !frame.Has(FrameFlags.Ack)
            ? ([], [frame with { Flags = FrameFlags.Ack }]) : ([frame], []);

    private static Frame Spoil(Direction direction, Frame frame)
    {
        if (direction != Direction.ToCaller || frame.Type != FrameType.Data
            || frame.Payload.Length <= GrpcMessage.PrefixLength) return frame;
        byte[] payload = [.. frame.Payload];
        payload[^1] ^= 1;
        return frame with { Payload = payload };
    }

    private static Proxy.Tamper SpoilOne()
    {
        var count = 0;
        return (direction, frame) =>
            ([frame.Type == FrameType.Data && direction == Direction.ToCaller && ++count == 5000 ? Spoil(direction, frame) : frame], []);
    }

    private static Func<List<Header>, IEnumerable<Header>> Without(string name) => fields => fields.Where(field => field.Name != name);

    private static Func<List<Header>, IEnumerable<Header>> Changed(string name, string value) => fields =>
        fields.Select(field => field.Name == name ? field with { Value = value } : field);
}
