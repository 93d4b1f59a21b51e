using System.Collections.Concurrent;
using ImageCriShim.Cri;
using ImageCriShim.Relay;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Relay;
using Frame = ImageCriShim.Tests.Fakes.Frame;
using FrameType = ImageCriShim.Tests.Fakes.FrameType;

namespace ImageCriShim.Tests.Cri;

/// <summary>Calls of our own, over connections of our own.</summary>
public sealed class RuntimeClientTests : IAsyncDisposable
{
    private const string Path = "/test/Own";

    private readonly TempDirectory directory = new();
    private readonly ConcurrentBag<CancellationTokenSource> timeouts = [];
    private RuntimeClient? client;
    private FakeRuntime? runtime;

    private RuntimeClient Client => client ??= new RuntimeClient(new RuntimeSocket(directory.File("cri.sock"), TimeProvider.System));

    [Fact]
    public async Task One_after_another_share_a_connection_as_long_as_it_answers_at_once()
    {
        Start().On(Path, async call => await call.AnswerAsync(await call.ReadRequestAsync()));
        for (byte i = 0; i < 100; i++)
            (await Call([i])).Message.ToArray().ShouldBe([i]);
        await Wait.Until(async () => runtime!.Connections.Count is var before && (await Call([1])).Message.Length == 1 && runtime.Connections.Count == before, "even a busy machine answers one at once");
    }

    [Fact]
    public async Task That_had_to_be_waited_for_are_followed_by_a_connection_of_their_own()
    {
        Start().On(Path, async call =>
        {
            await call.ReadRequestAsync();
            await Task.Delay(50); // a pull; what is waited for here is that nobody holds a thread meanwhile
            await call.AnswerAsync([1]);
        });
        for (var i = 1; i <= 3; i++)
        {
            (await Call([1])).Message.ToArray().ShouldBe([1]);
            runtime!.Connections.Count.ShouldBe(i);
        }
    }

    [Fact]
    public async Task Go_on_over_one_that_was_waited_for_where_no_new_one_can_be_made()
    {
        Start().On(Path, async call =>
        {
            var request = await call.ReadRequestAsync();
            await Task.Delay(50); // longer than a look-up is waited for on the spot
            await call.AnswerAsync(request);
        });
        (await Call([1])).Status.IsOk.ShouldBeTrue();
        File.Delete(directory.File("cri.sock"));
        for (byte i = 2; i <= 4; i++)
            (await Call([i])).Message.ToArray().ShouldBe([i]);
        runtime!.Connections.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task At_the_same_time_disturb_nobody()
    {
        Start().On(Path, async call => await call.AnswerAsync(await call.ReadRequestAsync()));
        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => Call(BitConverter.GetBytes(i))));
        answers.Select(answer => BitConverter.ToInt32(answer.Message.Span)).ShouldBe(Enumerable.Range(0, 200));
    }

    [Fact]
    public async Task Carry_metadata_both_ways()
    {
        Start().On(Path, async call =>
        {
            await call.ReadRequestAsync();
            call.SendHeaders(("seen", call.Find("traceparent") ?? ""), ("timeout", call.Find("grpc-timeout") ?? ""));
            await call.SendAsync([1]);
            call.Finish(("at-the-end", "x"));
        });
        var reply = await Call([1], new CallerHead(Path, null, null, [new("traceparent", "00-1")]));
        reply.Headers.ShouldBe([new("seen", "00-1"), new("timeout", "60000m")]);
        reply.Trailers.ShouldContain(new KeyValuePair<string, string>("at-the-end", "x"));
    }

    [Theory]
    [InlineData(65_535)]
    [InlineData(65_536)]
    [InlineData(3_000_000)]
    public async Task Of_any_size_fit_through_the_runtimes_windows(int length)
    {
        var message = new byte[length];
        Random.Shared.NextBytes(message);
        Start().On(Path, async call => await call.AnswerAsync(await call.ReadRequestAsync()));
        for (var i = 0; i < 3; i++) // windows are opened again
            (await Call(message)).Message.ToArray().ShouldBe(message);
    }

    [Fact]
    public async Task May_be_answered_before_all_of_the_request_has_gone_out()
    {
        Start(new RawOptions { Credit = false }).On(Path, call =>
        {
            call.Fail(8, "too large");
            return Task.CompletedTask;
        });
        var reply = await Call(new byte[1_000_000]);
        reply.Status.ShouldBe(new GrpcStatus(StatusCode.ResourceExhausted, "too large"));
        (await Call([1])).Status.Code.ShouldBe(StatusCode.ResourceExhausted); // on another connection
    }

    [Fact]
    public async Task Begin_anew_after_a_GOAWAY_between_them()
    {
        Start().On(Path, async call => await call.AnswerAsync(await call.ReadRequestAsync()));
        RawConnection first;
        do
        {
            (await Call([1])).Status.IsOk.ShouldBeTrue();
            first = runtime!.Connections[^1];
        }
        while (await Task.WhenAny(first.SendBytesAsync(Frame.GoAway(1, Http2Error.NoError).ToBytes()), first.Closed) == first.Closed); // not kept: it was slow
        var before = runtime.Connections.Count;
        (await Call([2])).Message.ToArray().ShouldBe([2]);
        runtime.Connections.Count.ShouldBe(before + 1);
    }

    [Fact]
    public async Task Are_tried_once_more_where_the_runtime_resets_one()
    {
        var tries = 0;
        Start().On(Path, async call =>
        {
            await call.ReadRequestAsync();
            if (Interlocked.Increment(ref tries) == 1)
                call.Stream.Cancel(Http2Error.RefusedStream);
            else
                await call.AnswerAsync([7]);
        });
        (await Call([1])).Message.ToArray().ShouldBe([7]);
    }

    [Fact]
    public async Task Answer_PINGs_that_come_in_between_although_they_wait_for_something_else()
    {
        Start().On(Path, async call =>
        {
            var request = await call.ReadRequestAsync();
            call.Stream.Connection.Send(Frame.Ping(request[0]));
            await call.Stream.Connection.WaitForFrame(frame => frame.SameAs(Frame.Ping(request[0], ack: true)));
            await call.AnswerAsync(request);
        });
        for (byte i = 1; i <= 3; i++)
            (await Call([i])).Message.ToArray().ShouldBe([i]);
    }

    [Fact]
    public async Task That_are_cancelled_end_at_the_runtime_and_spoil_no_other()
    {
        var begun = new TaskCompletionSource<FakeCall>(TaskCreationOptions.RunContinuationsAsynchronously);
        Start().On(Path, async call =>
        {
            if ((await call.ReadRequestAsync())[0] == 1)
            {
                begun.SetResult(call);
                await Task.Delay(Timeout.Infinite, call.Cancelled);
            }
            else
                await call.AnswerAsync([2]);
        });
        using var cancellation = new CancellationTokenSource();
        var cancelled = Client.Call(new CallerHead(Path, null, null, []), new byte[] { 1 }, TimeSpan.FromMinutes(1), cancellation.Token);
        var call = await begun.Task.WaitAsync(RawConnection.Patience, TestContext.Current.CancellationToken);
        await cancellation.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => cancelled);
        await Wait.Until(() => call.Cancelled.IsCancellationRequested, "the runtime sees it");
        (await Call([2])).Message.ToArray().ShouldBe([2]);
    }

    [Fact]
    public async Task Name_the_socket_where_no_runtime_is()
    {
        var reply = await Call([1]);
        reply.Status.Code.ShouldBe(StatusCode.Unavailable);
        reply.Status.Message.ShouldContain(directory.File("cri.sock"));
    }

    [Theory]
    [InlineData("0000")] // too short to be a frame
    [InlineData("00000500000000000000000000000000")] // DATA on stream 0
    [InlineData("0000040800000000010000000000000000000000")] // rubbish behind a WINDOW_UPDATE
    [InlineData("ffffff0000000000010000000000")] // a frame of 16 MiB
    public async Task Survive_whatever_the_runtime_sends(string hex)
    {
        Start().On(Path, async call =>
        {
            await call.ReadRequestAsync();
            await call.Stream.Connection.SendBytesAsync(Convert.FromHexString(hex));
            call.Stream.Connection.CloseWriting();
        });
        (await Call([1])).Status.Code.ShouldBe(StatusCode.Unavailable);
    }

    public async ValueTask DisposeAsync()
    {
        client?.Dispose();
        if (runtime is not null)
            await runtime.DisposeAsync();
        foreach (var timeout in timeouts)
            timeout.Dispose();
        directory.Dispose();
    }

    private FakeRuntime Start(RawOptions? options = null) => runtime = FakeRuntime.Start(directory.File("cri.sock"), options);

    private Task<RuntimeReply> Call(byte[] message, CallerHead? head = null)
    {
        var timeout = new CancellationTokenSource(RawConnection.Patience);
        timeouts.Add(timeout);
        return Client.Call(head ?? new CallerHead(Path, null, null, []), message, TimeSpan.FromMinutes(1), timeout.Token);
    }
}
