using ImageCriShim.Relay;
using ImageCriShim.Tests.Fakes;
using FrameType = ImageCriShim.Tests.Fakes.FrameType;

namespace ImageCriShim.Tests.Relay;

/// <summary>Calls that are taken over, between peers that use what RFC 9113 allows and gRPC stacks seldom do.</summary>
public sealed class TakenCallTests : IAsyncDisposable
{
    private static readonly (Http2Setting, uint) s_noWindow = (Http2Setting.InitialWindowSize, 0);

    private readonly TempDirectory _directory = new();
    private readonly CapturingLog _log = new();
    private FakeRuntime? _runtime;
    private ListeningRelay? _relay;

    public static TheoryData<string> Kinds => [.. TestEdits.Kinds];

    public async ValueTask DisposeAsync()
    {
        if (_runtime is not null)
            await _runtime.DisposeAsync();
        _relay?.Dispose();
        _directory.Dispose();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_runtime_may_open_each_streams_window_by_hand(string kind)
    {
        var message = new byte[3000];
        var runtime = Start(new RawOptions { Settings = [s_noWindow] });
        runtime.On(TestEdits.PathOf(kind), async call =>
        {
            call.Stream.GiveCredit(10_000); // before the request; the initial window is 0
            await call.AnswerAsync(await call.ReadRequestAsync());
        });
        await using var caller = await RawCaller.ConnectAsync(_directory.File("shim.sock"));
        await caller.Connection.WaitForFrame(FrameType.Settings);
        Check(await caller.CallAsync(TestEdits.PathOf(kind), message), kind, message);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_caller_may_open_each_streams_window_by_hand(string kind)
    {
        var message = new byte[3000];
        var runtime = Start(new RawOptions());
        runtime.On(TestEdits.PathOf(kind), async call => await call.AnswerAsync(await call.ReadRequestAsync()));
        await using var caller = await RawCaller.ConnectAsync(_directory.File("shim.sock"), new RawOptions { Settings = [s_noWindow] });
        var stream = caller.Start(TestEdits.PathOf(kind));
        stream.GiveCredit(10_000);
        await stream.SendMessageAsync(message, end: true);
        Check(await stream.ReadAnswerAsync(), kind, message);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_runtime_may_send_headers_before_it_has_the_request(string kind)
    {
        var message = new byte[3000];
        var runtime = Start(new RawOptions());
        runtime.On(TestEdits.PathOf(kind), async call =>
        {
            call.SendHeaders();
            await call.AnswerAsync(await call.ReadRequestAsync());
        });
        await using var caller = await RawCaller.ConnectAsync(_directory.File("shim.sock"));
        var stream = caller.Start(TestEdits.PathOf(kind));
        await (await runtime.ConnectionAsync()).WaitForFrame(FrameType.Headers);
        await caller.Connection.PingAsync(); // behind the runtime's headers
        await stream.SendMessageAsync(message, end: true);
        Check(await stream.ReadAnswerAsync(), kind, message);
    }

    [Fact]
    public async Task Endless_header_blocks_of_a_held_answer_end_the_call_alone_and_its_waiting_request()
    {
        var runtime = Start(new RawOptions { Settings = [(Http2Setting.InitialWindowSize, 100)] });
        runtime.On(TestEdits.PathOf("Watch"), async call =>
        {
            call.Stream.Credit = false; // most of the request waits in the relay
            await call.Stream.Connection.WaitForFrame(FrameType.Data); // which has all of it by then
            var block = Hpack.Encode((":status", "103"), ("x", new string('v', 16_000)));
            for (var sent = 0; sent <= RelayLimits.MessageBytes; sent += block.Length)
                call.Stream.Connection.Send(Frame.Headers(call.Stream.Id, block));
        });
        await using var caller = await RawCaller.ConnectAsync(_directory.File("shim.sock"));
        await caller.Connection.WaitForFrame(FrameType.Settings);
        (await caller.CallAsync(TestEdits.PathOf("Watch"), new byte[3000])).Status.ShouldBe((int)GrpcCode.ResourceExhausted);

        var connection = await runtime.ConnectionAsync();
        await connection.WaitForFrame(FrameType.RstStream);
        connection.Send(Frame.WindowUpdate(1, 10_000));
        (await caller.CallAsync("/test.Fake/Unary", [1])).Single.ShouldBe([1]);
        connection.Received.SkipWhile(frame => frame.Type is not FrameType.RstStream).ShouldNotContain(frame => frame.Type == FrameType.Data && frame.Stream == 1);
        _log.Lines.ShouldBeEmpty();
    }

    private FakeRuntime Start(RawOptions options)
    {
        _runtime = FakeRuntime.Start(_directory.File("cri.sock"), options);
        _relay = new ListeningRelay(_directory.File("shim.sock"), _runtime.SocketPath, TestEdits.Route, _log);
        return _runtime;
    }

    private void Check(RawAnswer answer, string kind, byte[] message)
    {
        answer.Status.ShouldBe(0);
        answer.Single.ShouldBe(TestEdits.IsRuntimes(kind) ? message : "answered"u8.ToArray());
        _log.Lines.ShouldBeEmpty();
    }
}
