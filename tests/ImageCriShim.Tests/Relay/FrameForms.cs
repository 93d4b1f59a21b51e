using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Relay;

/// <summary>Rule 6: whatever RFC 9113 allows a frame to look like, on forwarded and on taken streams.</summary>
public sealed class FrameForms : RelayTest
{
    private static readonly byte[] s_message = [.. Enumerable.Range(0, 3000).Select(i => (byte)i)];

    public static TheoryData<string> Paths => ["/test.Fake/Unary", "/edit/Forward", "/edit/Watch", "/edit/Refuse", "/edit/Answer"];

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task Requests_may_be_padded_prioritised_cut_and_interspersed_with_nothing(string path)
    {
        var (caller, _) = await Begin();
        var stream = caller.Connection.Open();
        var block = caller.Connection.Encode(caller.RequestHeaders(path));
        var body = GrpcMessage.Encode(s_message);
        caller.Connection.Send(
            Frame.Priority(stream.Id, new PriorityFields(0, Weight: 200)), // of an idle stream
            Frame.Headers(stream.Id, block.AsSpan(0, 1), endHeaders: false, padding: 200, priority: new PriorityFields(0, Exclusive: true)),
            Frame.Continuation(stream.Id, [], endHeaders: false),
            Frame.Continuation(stream.Id, block.AsSpan(1, 10), endHeaders: false),
            Frame.Continuation(stream.Id, block.AsSpan(11)),
            Frame.Data(stream.Id, []),
            Frame.Data(stream.Id, body.AsSpan(0, 1), padding: 0),
            Frame.Data(stream.Id, [], padding: 255),
            Frame.Priority(stream.Id, new PriorityFields(0)),
            Frame.Data(stream.Id, body.AsSpan(1, 4), padding: 17),
            Frame.Data(stream.Id, body.AsSpan(5)),
            Frame.Data(stream.Id, [], end: true));
        var expected = path is "/edit/Forward" or "/edit/Watch" ? FakeEdits.Reverse(s_message) : s_message;
        (await stream.ReadAnswerAsync()).Single.ShouldBe(expected);
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task Answers_may_be_padded_prioritised_cut_and_interspersed_with_nothing(string path)
    {
        var (caller, runtime) = await Begin();
        Runtime.On(path, async call =>
        {
            await call.ReadRequestAsync();
            var (id, body) = (call.Stream.Id, GrpcMessage.Encode(s_message));
            var block = Hpack.Encode((":status", "200"), ("content-type", "application/grpc"));
            runtime.Send(
                Frame.Headers(id, block.AsSpan(0, 3), endHeaders: false, padding: 3, priority: new PriorityFields(0)),
                Frame.Continuation(id, block.AsSpan(3)),
                Frame.Data(id, [], padding: 9),
                Frame.Data(id, body.AsSpan(0, 6), padding: 99),
                Frame.Data(id, []),
                Frame.Data(id, body.AsSpan(6)),
                Frame.Headers(id, Hpack.Encode(("grpc-status", "0")), end: true, padding: 1));
        });
        var answer = await caller.CallAsync(path, s_message);
        (answer.Status, answer.Single.SequenceEqual(s_message)).ShouldBe((0, true));
    }

    [Fact]
    public async Task A_watched_answer_may_end_with_empty_DATA_and_without_trailers()
    {
        var (caller, runtime) = await Begin();
        Runtime.On("/edit/Watch", async call =>
        {
            await call.ReadRequestAsync();
            call.SendHeaders();
            runtime.Send(Frame.Data(call.Stream.Id, GrpcMessage.Encode([7])), Frame.Data(call.Stream.Id, [], end: true));
        });
        var answer = await caller.CallAsync("/edit/Watch", [1]);
        (answer.Single.Single(), answer.Trailers.Count).ShouldBe(((byte)7, 0));
    }

    [Fact]
    public async Task A_watched_answer_may_have_interim_headers()
    {
        var (caller, runtime) = await Begin();
        Runtime.On("/edit/Watch", async call =>
        {
            await call.ReadRequestAsync();
            runtime.Send(Frame.Headers(call.Stream.Id, Hpack.Encode((":status", "103"), ("link", "x"))));
            await call.AnswerAsync([7]);
        });
        (await caller.CallAsync("/edit/Watch", [1])).Single.ShouldBe([7]);
        caller.Connection.Received.Count(frame => frame.Type == FrameType.Headers).ShouldBe(3);
    }

    [Fact]
    public async Task A_watched_call_may_get_its_headers_before_its_request_has_ended()
    {
        var (caller, _) = await Begin();
        foreach (var path in (string[])["/edit/Forward", "/edit/Watch", "/edit/Refuse", "/edit/Answer"])
        {
            Runtime.On(path, async call =>
            {
                call.SendHeaders(("early", "bird"));
                await call.SendAsync(await call.ReadRequestAsync());
                call.Finish();
            });
            var stream = caller.Start(path);
            await Wait.Until(() => Runtime.CallsOf(path[6..]).Any(), "the call is there");
            await caller.Connection.PingAsync((ulong)stream.Id); // the runtime's headers are behind us
            await stream.SendMessageAsync([1, 2], end: true);
            (await stream.ReadAnswerAsync()).Single.ShouldBe([1, 2]);
        }
    }

    [Fact]
    public async Task Frames_of_unknown_types_pass()
    {
        var (caller, runtime) = await Begin();
        var unknown = new Frame((FrameType)0xbe, (FrameFlags)0xff, 0, [1, 2, 3]);
        caller.Connection.Send(unknown);
        runtime.Send(unknown);
        await caller.Connection.WaitForFrame(frame => frame.SameAs(unknown));
        await runtime.WaitForFrame(frame => frame.SameAs(unknown));
    }

    [Fact]
    public async Task Bytes_may_come_one_by_one()
    {
        var (caller, _) = await Begin(new() { AnswerSettings = false, Credit = false }); // nothing may come between the bytes
        foreach (var path in (string[])["/test.Fake/Unary", "/edit/Refuse"])
        {
            var stream = caller.Connection.Open();
            stream.Credit = false;
            byte[] bytes =
            [
                .. Frame.Headers(stream.Id, caller.Connection.Encode(caller.RequestHeaders(path))).ToBytes(),
                .. Frame.Data(stream.Id, GrpcMessage.Encode([5]), end: true).ToBytes(),
            ];
            foreach (var octet in bytes)
                await caller.Connection.SendBytesAsync([octet]);
            (await stream.ReadAnswerAsync()).Single.ShouldBe([5]);
        }
    }

    [Fact]
    public async Task A_header_block_is_never_interrupted_by_answers_of_our_own()
    {
        var (caller, _) = await Begin();
        Header large = ("large", new string('y', 50_000));
        Runtime.On("/test/Large", async call =>
        {
            await call.ReadRequestAsync();
            call.SendHeaders(large);
            call.Finish(large);
        });
        var calls = Enumerable.Range(0, 300).Select(i => caller.CallAsync(i % 2 == 0 ? "/test/Large" : "/edit/Answer", [1])).ToArray();
        (await Task.WhenAll(calls)).ShouldAllBe(answer => answer.Status == 0);
        int? open = null;
        foreach (var frame in caller.Connection.Received)
        {
            (frame.Type == FrameType.Continuation ? frame.Stream : null as int?).ShouldBe(open, $"{frame}");
            if (frame.Type is FrameType.Headers or FrameType.Continuation)
                open = frame.Has(FrameFlags.EndHeaders) ? null : frame.Stream;
        }
    }
}
