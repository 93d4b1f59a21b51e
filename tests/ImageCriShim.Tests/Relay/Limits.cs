using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Relay;

/// <summary>Rule 7: what is held for edited calls is bounded; forwarded calls have no bound.</summary>
public sealed class Limits : RelayTest
{
    private const int MessageBytes = 16 * 1024 * 1024;

    [Theory]
    [InlineData("/edit/Watch")]
    [InlineData("/edit/Answer")]
    public async Task A_message_of_16_MiB_passes_and_one_octet_more_is_refused_with_the_limit(string path)
    {
        var (caller, _) = await Begin();
        (await caller.CallAsync(path, new byte[MessageBytes])).Single.Length.ShouldBe(MessageBytes);

        var stream = caller.Start(path);
        var sending = stream.SendMessageAsync(new byte[MessageBytes + 1], end: true);
        var answer = await stream.ReadAnswerAsync();
        answer.Status.ShouldBe(8);
        answer.Message.ShouldContain("16777216");
        await Task.WhenAny(sending); // the rest of it may or may not have left
        (await caller.CallAsync(path, [1, 2])).Status.ShouldBe(0);
        Listener.HeldBytes.ShouldBe(0);
    }

    [Fact]
    public async Task An_answer_above_16_MiB_to_a_watched_call_is_refused_with_the_limit()
    {
        var (caller, runtime) = await Begin();
        Runtime.On("/edit/Watch", call => call.AnswerAsync(new byte[MessageBytes + 1]));
        var answer = await caller.CallAsync("/edit/Watch", [1]);
        answer.Status.ShouldBe(8);
        answer.Message.ShouldContain("16777216");
        await runtime.WaitForFrame(FrameType.RstStream);
        (await caller.CallAsync("/test.Fake/Unary", new byte[MessageBytes * 2])).Single.Length.ShouldBe(MessageBytes * 2);
    }

    [Fact]
    public async Task Endless_header_blocks_of_the_runtime_are_refused()
    {
        var (caller, runtime) = await Begin();
        Runtime.On("/edit/Watch", call =>
        {
            var interim = Frame.Headers(call.Stream.Id, Hpack.Encode((":status", "103"), ("large", new string('x', 16_000))));
            for (var i = 0; i < 1_100; i++)
                runtime.Send(interim);
            return Task.CompletedTask;
        });
        (await caller.CallAsync("/edit/Watch", [1])).Status.ShouldBe(8);
    }

    [Fact]
    public async Task Over_all_connections_64_MiB_are_held_and_no_more()
    {
        StartRuntime();
        StartRelay();
        const int fitting = 4;
        var message = GrpcMessage.Encode(new byte[15_000_000]);
        var streams = new List<RawStream>();
        for (var i = 0; i < fitting; i++)
        {
            streams.Add((await Connect(new() { Record = false })).Start("/edit/Answer"));
            await streams[i].SendDataAsync(message);
        }

        await Wait.Until(() => Listener.HeldBytes == fitting * message.Length, "they are held");
        var refused = (await Connect()).Start("/edit/Answer");
        var sending = refused.SendDataAsync(message);
        var answer = await refused.ReadAnswerAsync();
        answer.Status.ShouldBe(8);
        answer.Message.ShouldContain("67108864");
        await Task.WhenAny(sending); // told that the rest is not wanted
        Listener.HeldBytes.ShouldBe(fitting * message.Length);
        streams.ForEach(stream => stream.HalfClose());
        foreach (var stream in streams)
            (await stream.Trailers).ShouldContain(("grpc-status", "0"));
    }

    [Theory]
    [InlineData("/edit/Forward")] // the runtime takes no request
    [InlineData("/edit/Answer")] // the caller takes no answer
    public async Task What_a_closed_window_keeps_from_leaving_is_still_held(string path)
    {
        const int size = 10_000_000;
        const int most = 6; // of them fit into 64 MiB
        var (caller, _) = await Begin();
        Runtime.On("/edit/Forward", call =>
        {
            call.Stream.Credit = false;
            return Task.CompletedTask;
        });
        for (var i = 1; i <= most; i++)
        {
            var stream = caller.Start(path);
            stream.Credit = false;
            await stream.SendMessageAsync(new byte[size], end: true);
            await Wait.Until(() => Listener.HeldBytes >= i * size, "the message is held");
        }

        var refused = caller.Start(path);
        var sending = refused.SendMessageAsync(new byte[size], end: true);
        (await refused.ReadAnswerAsync()).Status.ShouldBe(8);
        await Task.WhenAny(sending); // told that the rest is not wanted
        Listener.HeldBytes.ShouldBeLessThan(64 * 1024 * 1024);
    }
}
