using System.Text;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.EndToEnd.Transparency;

/// <summary>Frame by frame, what arrives at either end through the shim is what arrives without it.</summary>
[Trait("suite", "endtoend")]
public sealed class FramesOfARawCaller : IAsyncLifetime
{
    private readonly TempDirectory directory = new();
    private FakeRuntime runtime = null!;
    private ShimProcess shim = null!;

    public static TheoryData<string, bool> NamesAndEncoders
    {
        get
        {
            var data = new TheoryData<string, bool>();
            foreach (var name in Exchanges.All.Keys)
            {
                data.Add(name, false);
                data.Add(name, true);
            }

            return data;
        }
    }

    public async ValueTask InitializeAsync()
    {
        runtime = FakeRuntime.Start(directory.File("cri.sock"));
        runtime.On(Exchanges.Path, _ => Task.CompletedTask); // the test answers
        shim = await ShimProcess.StartAsync(directory, runtime.SocketPath);
        await AwayFromTheShimsOwnConnections();
    }

    public async ValueTask DisposeAsync()
    {
        await shim.DisposeAsync();
        await runtime.DisposeAsync();
        directory.Dispose();
    }

    [Theory]
    [MemberData(nameof(NamesAndEncoders))]
    public async Task Arrive_as_they_were_sent(string exchange, bool indexing)
    {
        var options = new RawOptions
        {
            Settings = [(Http2Setting.EnablePush, 0), (Http2Setting.InitialWindowSize, 70_000)],
            Encoder = indexing ? RawOptions.Indexing : new RawOptions().Encoder,
        };
        var direct = await Exchanges.PlayAsync(exchange, runtime, runtime.SocketPath, options);
        var through = await Exchanges.PlayAsync(exchange, runtime, shim.SocketPath, options);
        Difference.Of(direct, through).ShouldBeEmpty();
        shim.ShouldNotHaveComplained();
    }

    [Fact]
    public async Task Arrive_although_the_connection_is_cut_at_every_byte_of_a_request()
    {
        var length = (await RequestBytesAsync()).Length;
        for (var cut = 1; cut < length; cut++)
        {
            await using var caller = await RawCaller.ConnectAsync(shim.SocketPath,
                new() { SendSettings = false, AnswerSettings = false, Credit = false });
            var bytes = await RequestBytesAsync(caller);
            await caller.Connection.SendBytesAsync(bytes[..cut]);
            await Task.Delay(1, TestContext.Current.CancellationToken); // so that the two pieces are read apart
            await caller.Connection.SendBytesAsync(bytes[cut..]);
            (await caller.Connection.Streams[0].ReadAnswerAsync()).Single.ShouldBe("hello"u8.ToArray(), $"cut at {cut}");
        }
    }

    [Fact]
    public async Task Arrive_although_the_answer_comes_byte_by_byte()
    {
        runtime.On("/raw.Frames/Slow", async call =>
        {
            while (await call.Stream.ReadMessageAsync() is not null) { } // so that no credit for it comes between our octets
            byte[] answer =
            [
                .. Frame.Headers(call.Stream.Id, Hpack.Encode((":status", "200"), ("content-type", "application/grpc"))).ToBytes(),
                .. Frame.Data(call.Stream.Id, GrpcMessage.Encode("hello"u8)).ToBytes(),
                .. Frame.Headers(call.Stream.Id, Hpack.Encode(("grpc-status", "0")), end: true).ToBytes(),
            ];
            foreach (var octet in answer) await call.Stream.Connection.SendBytesAsync([octet]);
        });
        await using var caller = await RawCaller.ConnectAsync(shim.SocketPath);
        var answer = await caller.CallAsync("/raw.Frames/Slow", []);
        (answer.Status, Encoding.UTF8.GetString(answer.Single)).ShouldBe((0, "hello"));
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("/run/x.sock")]
    [InlineData("%2Frun%2Fx.sock")]
    [InlineData("")]
    public async Task Carry_any_authority(string authority)
    {
        var direct = await InspectAsync(runtime.SocketPath, authority);
        direct.ShouldContain($"\":authority\",\"{authority}\"");
        (await InspectAsync(shim.SocketPath, authority)).ShouldBe(direct);
    }

    [Fact]
    public async Task Stop_where_the_windows_of_the_runtime_end()
    {
        await using var caller = await RawCaller.ConnectAsync(shim.SocketPath);
        var ends = new Ends(caller, await runtime.ConnectionOfAsync(caller));
        var (stream, arrived) = await ends.BeginAsync();
        arrived.Credit = false;
        var sending = stream.SendDataAsync(new byte[200_000], end: true);
        await caller.Connection.PingAsync();
        arrived.BytesReceived.ShouldBe(65535);
        sending.IsCompleted.ShouldBeFalse();
        arrived.GiveCredit(200_000);
        await sending;
        await caller.Connection.PingAsync();
        arrived.BytesReceived.ShouldBe(200_000);
    }

    [Fact]
    public async Task Stop_where_the_windows_of_the_caller_end_and_other_streams_go_on()
    {
        await using var caller = await RawCaller.ConnectAsync(shim.SocketPath);
        var stalled = caller.Connection.Open();
        stalled.Credit = false;
        stalled.SendHeaders(caller.RequestHeaders("/test.Fake/ServerStream"));
        await stalled.SendMessageAsync("""{"count":100,"size":10000}"""u8, end: true);
        for (var i = 0; i < 100; i++) (await caller.CallAsync("/test.Fake/Unary", new byte[3000])).Status.ShouldBe(0);
        stalled.BytesReceived.ShouldBe(65535);
        stalled.GiveCredit(2_000_000);
        (await stalled.ReadAnswerAsync()).Messages.Count.ShouldBe(100);
    }

    [Fact]
    public async Task Tell_the_runtime_at_once_that_a_caller_has_gone()
    {
        var caller = await RawCaller.ConnectAsync(shim.SocketPath);
        var hang = caller.Start("/test.Fake/Hang");
        await hang.SendMessageAsync("""{"id":"gone"}"""u8, end: true);
        await hang.Headers;
        await caller.DisposeAsync();
        await using var other = await RawCaller.ConnectAsync(shim.SocketPath);
        (await other.CallAsync("/test.Fake/Seen", """{"id":"gone"}"""u8.ToArray())).Status.ShouldBe(0);
    }

    [Fact]
    public async Task Tell_the_caller_that_the_runtime_has_gone()
    {
        await using var caller = await RawCaller.ConnectAsync(shim.SocketPath);
        (await caller.CallAsync("/test.Fake/Unary", [])).Status.ShouldBe(0);
        var ours = await runtime.ConnectionOfAsync(caller);
        var hang = caller.Start(Exchanges.Path);
        await caller.Connection.PingAsync();
        ours.Abort();
        await caller.Connection.Closed.WaitAsync(RawConnection.Patience, TestContext.Current.CancellationToken);
        await Wait.Until(() => hang.Cancelled.IsCancellationRequested);
    }

    [Fact]
    public async Task Pass_on_many_connections_at_once()
    {
        var calls = Enumerable.Range(0, 50).Select(async number =>
        {
            await using var caller = await RawCaller.ConnectAsync(shim.SocketPath, new() { Encoder = RawOptions.Indexing });
            for (var i = 0; i < 20; i++)
            {
                var message = Encoding.UTF8.GetBytes($"{number} {i}");
                (await caller.CallAsync("/test.Fake/Unary", message, ("echo-number", $"{number}"))).Single.ShouldBe(message);
            }
        });
        await Task.WhenAll(calls);
    }

    /// <summary>A caller that says nothing gets the runtime's SETTINGS and no frame of ours before it.</summary>
    [Fact]
    public async Task Begin_with_the_settings_of_the_runtime()
    {
        await using var own = FakeRuntime.Start(directory.File("own.sock"),
            new() { SendSettings = false, AnswerPings = false, AnswerSettings = false });
        using var elsewhere = new TempDirectory();
        await using var before = await ShimProcess.StartAsync(elsewhere, own.SocketPath);
        await using var caller = await RawCaller.ConnectAsync(before.SocketPath);
        var connection = await own.ConnectionOfAsync(caller);
        caller.Connection.Received.ShouldBeEmpty();
        var settings = Frame.SettingsOf((Http2Setting.MaxConcurrentStreams, 77));
        connection.Send(settings, Frame.Ping(1));
        await caller.Connection.WaitForFrame(FrameType.Ping);
        caller.Connection.Received[0].SameAs(settings).ShouldBeTrue();
    }

    private static async Task<string> InspectAsync(string socketPath, string authority)
    {
        await using var caller = await RawCaller.ConnectAsync(socketPath, authority: authority);
        return Encoding.UTF8.GetString((await caller.CallAsync("/test.Fake/Inspect", [],
            ("grpc-accept-encoding", "identity, deflate, gzip"), ("grpc-timeout", "59999m"))).Single);
    }

    private async Task<byte[]> RequestBytesAsync(RawCaller? caller = null)
    {
        if (caller is null)
        {
            await using var measuring = await RawCaller.ConnectAsync(runtime.SocketPath, new() { SendSettings = false });
            return await RequestBytesAsync(measuring);
        }

        var stream = caller.Connection.Open();
        return
        [
            .. RawConnection.Preface, .. Frame.SettingsOf((Http2Setting.EnablePush, 0)).ToBytes(),
            .. Frame.Headers(stream.Id, Hpack.Encode(caller.RequestHeaders("/test.Fake/Unary"))).ToBytes(),
            .. Frame.Data(stream.Id, GrpcMessage.Encode("hello"u8)).ToBytes(), .. Frame.Data(stream.Id, [], end: true).ToBytes(),
        ];
    }

    /// <summary>The shim asks the runtime for its version when it starts; its connections are not the ones that a test looks at.</summary>
    private async Task AwayFromTheShimsOwnConnections()
    {
        await using var caller = await RawCaller.ConnectAsync(shim.SocketPath);
        (await caller.CallAsync("/test.Fake/Unary", [])).Status.ShouldBe(0);
    }
}
