using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Relay;

/// <summary>Answers that are edited message by message while they pass.</summary>
public sealed class StreamedAnswersTests : RelayTest
{
    private const string Path = "/edit/Each";
    private const int MessageBytes = 16 * 1024 * 1024;

    [Theory]
    [InlineData(0)]
    [InlineData(-1)] // each message becomes half as long
    [InlineData(1)] // and twice
    public async Task Each_message_is_edited_and_all_come_in_order(int change)
    {
        Edits.Edit = message => change switch { 0 => message, < 0 => message[..(message.Length / 2)], _ => [.. message, .. message] };
        var (caller, _) = await Begin();
        var sent = Enumerable.Range(1, 500).Select(i => Enumerable.Repeat((byte)i, i * 40).ToArray()).ToList();
        Serve(sent);

        var answer = await caller.CallAsync(Path, [1]);

        answer.Messages.Select(message => message.Bytes).ShouldBe(sent.Select(Edits.Edit));
        answer.Headers.ShouldContain(("echo", "header"));
        answer.Trailers.ShouldContain(("echo", "trailer"));
        answer.Status.ShouldBe(0);
    }

    [Fact]
    public async Task The_first_messages_come_while_the_runtime_still_sends()
    {
        var (caller, _) = await Begin();
        var goOn = new TaskCompletionSource();
        Runtime.On(Path, async call =>
        {
            await call.ReadRequestAsync();
            await call.SendAsync([1]);
            await goOn.Task;
            await call.SendAsync([2]);
            call.Finish();
        });
        var stream = caller.Start(Path);
        await stream.SendMessageAsync([0], end: true);
        (await stream.ReadMessageAsync())!.Bytes.ShouldBe([1]);
        goOn.SetResult();
        (await stream.ReadMessageAsync())!.Bytes.ShouldBe([2]);
    }

    [Fact]
    public async Task There_is_no_limit_to_all_of_them_together_and_little_is_held()
    {
        Edits.Edit = message => [.. message, 7];
        var (caller, _) = await Begin(new RawOptions { Record = false }, new RawOptions { Record = false });
        const int count = 1_000, size = 100_000; // more than may be held
        var most = 0L;
        Runtime.On(Path, async call =>
        {
            await call.ReadRequestAsync();
            for (var i = 0; i < count; i++)
            {
                await call.SendAsync(new byte[size]);
                most = Math.Max(most, Listener.HeldBytes);
            }

            call.Finish();
        });
        var stream = caller.Start(Path);
        await stream.SendMessageAsync([0], end: true);
        var read = 0;
        while (await stream.ReadMessageAsync() is { } message)
        {
            message.Bytes.Length.ShouldBe(size + 1);
            read++;
        }

        read.ShouldBe(count);
        most.ShouldBeLessThan(4 * 1024 * 1024);
    }

    [Fact]
    public async Task A_caller_that_does_not_read_holds_the_runtime_back_and_nobody_else()
    {
        var (caller, _) = await Begin();
        var sent = 0;
        Runtime.On(Path, async call =>
        {
            await call.ReadRequestAsync();
            for (; sent < 300; sent++)
                await call.SendAsync(new byte[10_000]);
            call.Finish();
        });
        var stream = caller.Start(Path);
        stream.Credit = false;
        await stream.SendMessageAsync([0], end: true);
        await stream.ReadMessageAsync();
        await Wait.AWhile(); // it sends what it may
        sent.ShouldBeLessThan(30); // 64 KiB, a message that is begun, and what the socket takes
        (await caller.CallAsync("/test.Fake/Unary", [1])).Single.ShouldBe([1]);

        stream.Credit = true;
        stream.GiveCredit((int)stream.BytesReceived);
        var count = 1;
        while (await stream.ReadMessageAsync() is not null)
            count++;
        count.ShouldBe(300);
        (await stream.ReadAnswerAsync()).Status.ShouldBe(0);
    }

    [Fact]
    public async Task A_message_may_be_larger_than_every_window()
    {
        Edits.Edit = message => [.. message, .. message];
        var (caller, _) = await Begin();
        Serve([new byte[3_000_000], new byte[10]]);
        (await caller.CallAsync(Path, [1])).Messages.Select(message => message.Bytes.Length).ShouldBe([6_000_000, 20]);
    }

    [Fact]
    public async Task A_message_above_16_MiB_ends_the_call_with_the_limit_behind_those_that_came_before()
    {
        var (caller, runtime) = await Begin();
        Serve([[1], new byte[MessageBytes + 1]]);
        var answer = await caller.CallAsync(Path, [1]);
        answer.Messages.ShouldHaveSingleItem().Bytes.ShouldBe([1]);
        answer.Status.ShouldBe(8);
        answer.Message.ShouldContain("16777216");
        answer.Trailers.ShouldNotContain(field => field.Name == ":status");
        await runtime.WaitForFrame(FrameType.RstStream);
        (await caller.CallAsync("/test.Fake/Unary", [1])).Status.ShouldBe(0);
    }

    [Fact]
    public async Task An_error_without_a_message_passes()
    {
        var (caller, _) = await Begin();
        Runtime.On(Path, call =>
        {
            call.Fail(12, "unknown method");
            return Task.CompletedTask;
        });
        var answer = await caller.CallAsync(Path, [1]);
        (answer.Status, answer.Message).ShouldBe((12, "unknown method"));
    }

    [Fact]
    public async Task What_never_becomes_a_message_passes_as_it_came()
    {
        var (caller, _) = await Begin();
        Runtime.On(Path, async call =>
        {
            await call.ReadRequestAsync();
            call.SendHeaders();
            await call.Stream.SendDataAsync(new byte[] { 0, 0, 0, 0, 9, 1, 2 });
            call.Finish();
        });
        var stream = caller.Start(Path);
        await stream.SendMessageAsync([0], end: true);
        await stream.Trailers;
        stream.BytesReceived.ShouldBe(7);
    }

    [Fact]
    public async Task An_answer_that_data_ends_is_ended()
    {
        var (caller, _) = await Begin();
        Runtime.On(Path, async call =>
        {
            await call.ReadRequestAsync();
            call.SendHeaders();
            await call.Stream.SendMessageAsync([1, 2], end: true);
        });
        var stream = caller.Start(Path);
        await stream.SendMessageAsync([0], end: true);
        (await stream.ReadMessageAsync())!.Bytes.ShouldBe([1, 2]);
        (await stream.ReadMessageAsync()).ShouldBeNull();
    }

    [Fact]
    public async Task A_caller_that_leaves_ends_the_stream_at_the_runtime()
    {
        var (caller, _) = await Begin();
        Runtime.On(Path, async call =>
        {
            await call.ReadRequestAsync();
            while (true)
                await call.SendAsync(new byte[5_000]);
        });
        var stream = caller.Start(Path);
        await stream.SendMessageAsync([0], end: true);
        await stream.ReadMessageAsync();
        stream.Cancel();
        await Wait.Until(() => Runtime.CallsOf("Each").Single().CancelledAt is not null, "the runtime sees it");
        (await caller.CallAsync("/test.Fake/Unary", [1])).Status.ShouldBe(0);
    }

    [Fact]
    public async Task A_reset_of_the_runtimes_reaches_the_caller()
    {
        var (caller, _) = await Begin();
        Runtime.On(Path, async call =>
        {
            await call.ReadRequestAsync();
            await call.SendAsync([1]);
            call.Stream.Cancel(Http2Error.InternalError);
        });
        var stream = caller.Start(Path);
        await stream.SendMessageAsync([0], end: true);
        (await stream.Reset).ShouldBe(Http2Error.InternalError);
    }

    private void Serve(IReadOnlyList<byte[]> messages) => Runtime.On(Path, async call =>
    {
        await call.ReadRequestAsync();
        call.SendHeaders(("echo", "header"));
        foreach (var message in messages)
            await call.SendAsync(message);
        call.Finish(("echo", "trailer"));
    });
}
