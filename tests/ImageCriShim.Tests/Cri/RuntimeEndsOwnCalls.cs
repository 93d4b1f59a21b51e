using ImageCriShim.Cri;
using ImageCriShim.Relay;
using ImageCriShim.Tests.Fakes;
using Frame = ImageCriShim.Tests.Fakes.Frame;
using FrameFlags = ImageCriShim.Tests.Fakes.FrameFlags;
using FrameType = ImageCriShim.Tests.Fakes.FrameType;

namespace ImageCriShim.Tests.Cri;

/// <summary>
/// What a call of our own comes to when the runtime ends it by means of HTTP (gRPC over HTTP/2, "Errors"; http-grpc-status-mapping.md)
/// or closes the connection.
/// </summary>
public sealed class RuntimeEndsOwnCalls : IAsyncDisposable
{
    private const string Path = "/test/Own";
    private const int Any = int.MaxValue;

    private readonly TempDirectory _directory = new();
    private readonly RuntimeClient _client;
    private readonly FakeRuntime _runtime;

    public RuntimeEndsOwnCalls()
    {
        _client = new RuntimeClient(new RuntimeSocket(_directory.File("cri.sock"), TimeProvider.System));
        _runtime = FakeRuntime.Start(_directory.File("cri.sock"));
    }

    [Theory]
    [InlineData(400, 13)]
    [InlineData(401, 16)]
    [InlineData(403, 7)]
    [InlineData(404, 12)]
    [InlineData(429, 14)]
    [InlineData(500, 2)]
    [InlineData(502, 14)]
    [InlineData(503, 14)]
    [InlineData(504, 14)]
    [InlineData(204, 2)]
    public async Task A_status_of_HTTP_becomes_the_one_of_gRPC(int http, int code)
    {
        _runtime.On(Path, async call =>
        {
            await call.ReadRequestAsync();
            call.Stream.SendHeaders([(":status", $"{http}"), ("content-type", "text/plain")]);
            await call.Stream.SendDataAsync("no"u8.ToArray(), end: true);
        });
        var reply = await Call();
        ((int)reply.Status.Code).ShouldBe(code);
        reply.Status.Message.ShouldBe($"the runtime answered HTTP {http}");
    }

    [Fact]
    public async Task A_status_of_gRPC_counts_more_than_one_of_HTTP()
    {
        _runtime.On(Path, async call =>
        {
            await call.ReadRequestAsync();
            call.Stream.SendHeaders([(":status", "503"), ("grpc-status", "5"), ("grpc-message", "not there")], end: true);
        });
        (await Call()).Status.ShouldBe(new GrpcStatus(StatusCode.NotFound, "not there"));
    }

    [Theory]
    [InlineData(0, 13, "NO_ERROR")]
    [InlineData(1, 13, "PROTOCOL_ERROR")]
    [InlineData(2, 13, "INTERNAL_ERROR")]
    [InlineData(3, 13, "FLOW_CONTROL_ERROR")]
    [InlineData(6, 13, "FRAME_SIZE_ERROR")]
    [InlineData(7, 14, "REFUSED_STREAM")]
    [InlineData(8, 1, "CANCEL")]
    [InlineData(11, 8, "ENHANCE_YOUR_CALM")]
    [InlineData(12, 7, "INADEQUATE_SECURITY")]
    [InlineData(99, 13, "error 99")]
    public async Task A_reset_becomes_a_status_and_names_its_reason(uint error, int code, string name)
    {
        _runtime.On(Path, async call =>
        {
            await call.ReadRequestAsync();
            call.Stream.Cancel((Http2Error)error);
        });
        var reply = await Call();
        ((int)reply.Status.Code).ShouldBe(code);
        reply.Status.Message.ShouldBe(
            $"the call to the container runtime on {_runtime.SocketPath} broke off: the runtime reset it ({name})");
        _runtime.CallsOf("Own").Count().ShouldBe(name == "REFUSED_STREAM" ? 2 : 1); // with which nothing was done is made again
    }

    [Theory]
    [InlineData(7)] // REFUSED_STREAM, which is made again before the deadline
    [InlineData(8)] // CANCEL
    public async Task A_reset_after_the_deadline_means_that_the_deadline_is_exceeded(uint error)
    {
        _runtime.On(Path, async call =>
        {
            await call.ReadRequestAsync();
            call.Stream.Cancel((Http2Error)error);
        });
        var reply = await _client.Call(new CallerHead(Path, null, null, []), default, TimeSpan.FromTicks(1), TestContext.Current.CancellationToken);
        reply.Status.Code.ShouldBe(StatusCode.DeadlineExceeded);
        _runtime.CallsOf("Own").Count().ShouldBe(1);
    }

    [Theory]
    [InlineData(Any)]
    [InlineData(1)]
    public async Task A_call_that_a_GOAWAY_takes_goes_on_to_its_end(int last)
    {
        _runtime.On(Path, async call =>
        {
            await call.ReadRequestAsync();
            var connection = call.Stream.Connection;
            connection.Send(Frame.GoAway(last, Http2Error.NoError, "max_age"));
            await connection.PingAsync();
            if (last == Any)
                connection.Send(Frame.GoAway(1, Http2Error.NoError, "max_age"));
            await call.AnswerAsync([7]);
            connection.CloseWriting();
        });
        (await Call()).Message.ToArray().ShouldBe([7]);
        (await Call()).Message.ToArray().ShouldBe([7]); // on another connection
        _runtime.CallsOf("Own").Count().ShouldBe(2);
        _runtime.Connections.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_call_that_a_GOAWAY_does_not_take_is_made_again_at_once()
    {
        var calls = 0;
        _runtime.On(Path, async call =>
        {
            await call.ReadRequestAsync();
            if (Interlocked.Increment(ref calls) == 1)
                call.Stream.Connection.Send(Frame.GoAway(0, Http2Error.NoError)); // and it stays open
            else
                await call.AnswerAsync([7]);
        });
        (await Call()).Message.ToArray().ShouldBe([7]);
    }

    [Theory]
    [InlineData(0, 14)]
    [InlineData(2, 14)]
    [InlineData(11, 8)]
    [InlineData(12, 7)]
    public async Task A_connection_that_is_lost_behind_a_GOAWAY_becomes_the_status_of_its_reason(uint error, int code)
    {
        _runtime.On(Path, async call =>
        {
            await call.ReadRequestAsync();
            call.Stream.Connection.Send(Frame.GoAway(1, (Http2Error)error, "too_many_pings"));
            call.Stream.Connection.CloseWriting();
        });
        ((int)(await Call()).Status.Code).ShouldBe(code);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _runtime.DisposeAsync();
        _directory.Dispose();
    }

    private async Task<RuntimeReply> Call()
    {
        using var timeout = new CancellationTokenSource(RawConnection.Patience);
        return await _client.Call(new CallerHead(Path, null, null, []), new byte[] { 1 }, TimeSpan.FromMinutes(1), timeout.Token);
    }
}
