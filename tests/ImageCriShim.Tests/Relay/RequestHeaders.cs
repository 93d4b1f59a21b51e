using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Relay;

/// <summary>
/// Rules 1 and 2: request headers are read, and yet the runtime's decoder sees exactly the caller's encoder, until one has to change.
/// </summary>
public sealed class RequestHeaders : RelayTest
{
    private static readonly RawOptions s_indexing = new() { Encoder = RawOptions.Indexing };

    [Fact]
    public async Task Are_forwarded_byte_for_byte_and_keep_the_runtimes_table_right()
    {
        var (caller, runtime) = await Begin();
        var encoder = new IndexingHpackEncoder();
        for (var i = 0; i < 20; i++)
        {
            var stream = caller.Connection.Open();
            var fields = caller.RequestHeaders("/test.Fake/Unary", ("echo-number", $"{i % 3}"), ("authorization", "never indexed"));
            PriorityFields? priority = i % 2 == 0 ? new PriorityFields(0) : null;
            var headers = Frame.Headers(stream.Id, encoder.Encode(fields), priority: priority, padding: i % 5 == 0 ? i : null);
            caller.Connection.Send(headers);
            await stream.SendMessageAsync([1], end: true);
            (await stream.ReadAnswerAsync()).Status.ShouldBe(0);
            runtime.Received.ShouldContain(frame => frame.SameAs(headers));
            Runtime.Calls[^1].Headers.ShouldBe(fields);
        }
    }

    [Fact]
    public async Task Keep_the_runtimes_table_right_across_edited_answered_and_reset_streams()
    {
        var (caller, _) = await Begin(s_indexing);
        string[] paths = ["/edit/Watch", "/edit/Refuse", "/edit/Answer", "/edit/Forward", "/test.Fake/Unary"];
        for (var i = 0; i < 50; i++)
        {
            var path = paths[i % paths.Length];
            Header[] marks = [($"mark-{i % 4}", $"{i % 7}"), ("number", $"{i}")];
            if (i % 6 == 0)
            {
                caller.Start(path, marks).Cancel();
                continue;
            }

            (await caller.CallAsync(path, [1], marks)).Status.ShouldBe(0);
            await Wait.Until(() => Runtime.Calls.Any(call => call.Find("number") == $"{i}"), "the runtime has seen the call");
            Runtime.Calls.Single(call => call.Find("number") == $"{i}").Headers.ShouldBe(caller.RequestHeaders(path, marks));
        }
    }

    [Fact]
    public async Task May_come_before_the_caller_has_seen_any_settings()
    {
        StartRuntime(new() { SendSettings = false, AnswerSettings = false, Credit = false });
        StartRelay();
        var settings = new TaskCompletionSource();
        foreach (var path in (string[])["/edit/Watch", "/test.Fake/Unary"])
        {
            Runtime.On(path, async call =>
            {
                await settings.Task;
                await call.AnswerAsync(await call.ReadRequestAsync());
            });
        }

        var caller = await Connect(s_indexing);
        var answers = new[] { "/edit/Watch", "/edit/Answer", "/test.Fake/Unary", "/test.Fake/Unary" }
            .Select((path, i) => caller.CallAsync(path, [(byte)i], ("same", "same"))).ToArray();
        var runtime = await Runtime.ConnectionAsync();
        await Wait.Until(() => Runtime.Calls.Count == answers.Length, "the calls are there");
        runtime.Send(Frame.SettingsOf((Http2Setting.HeaderTableSize, 0)));
        settings.SetResult();
        (await Task.WhenAll(answers)).ShouldAllBe(answer => answer.Status == 0);
        Runtime.Calls.ShouldAllBe(call => call.Find("same") == "same");
    }

    [Theory]
    [InlineData(10)]
    [InlineData(20_000)] // needs CONTINUATION frames
    public async Task Are_written_anew_from_the_first_changed_path_on(int size)
    {
        var (caller, runtime) = await Begin(s_indexing);
        Header large = ("large", new string('x', size));
        string[] paths = ["/test.Fake/Unary", "/old/Echo", "/test.Fake/Unary", "/edit/Answer", "/old/Echo", "/test.Fake/Unary"];
        var calls = 0;
        foreach (var path in paths)
        {
            (await caller.CallAsync(path, [1, 2, 3], large, ("same", "same"))).Status.ShouldBe(0);
            calls++;
            await Wait.Until(() => Runtime.Calls.Count == calls, "the runtime has seen the call");
            var renamed = path.Replace("/old/", "/new/", StringComparison.Ordinal);
            Runtime.Calls[^1].Headers.ShouldBe(caller.RequestHeaders(renamed, large, ("same", "same")));
        }

        runtime.Received.ShouldAllBe(frame => frame.Payload.Length <= 16384);
    }

    [Fact]
    public async Task Of_an_edited_call_lose_their_content_length()
    {
        var (caller, _) = await Begin(s_indexing);
        var body = GrpcMessage.Encode([1, 2, 3]);
        (await caller.CallAsync("/edit/Watch", [1, 2, 3], ("content-length", $"{body.Length}"))).Single.ShouldBe([3, 2, 1]);
        Runtime.Calls[^1].Find("content-length").ShouldBeNull();
        (await caller.CallAsync("/test.Fake/Unary", [1, 2, 3], ("content-length", $"{body.Length}"))).Status.ShouldBe(0);
        Runtime.Calls[^1].Find("content-length").ShouldBe($"{body.Length}");
    }

    [Fact]
    public async Task Marked_as_secret_stay_so_when_written_anew()
    {
        var (caller, runtime) = await Begin(s_indexing);
        await caller.CallAsync("/old/Echo", [1], ("authorization", "secret"));
        var block = runtime.Received.First(frame => frame.Type == FrameType.Headers).Body.ToArray();
        Convert.ToHexString(block).ShouldContain("10" + "0D" + Convert.ToHexString("authorization"u8)); // RFC 7541 section 6.2.3
    }

    [Theory]
    [InlineData("/test.Fake/Unary")]
    [InlineData("/edit/Watch")]
    [InlineData("/edit/Forward")]
    [InlineData("/edit/Answer")]
    public async Task May_be_followed_by_trailers(string path)
    {
        var (caller, _) = await Begin(s_indexing);
        for (var i = 0; i < 3; i++)
        {
            var stream = caller.Start(path);
            await stream.SendMessageAsync([1, 2, 3]);
            stream.SendHeaders([("last", "words")], end: true);
            var answer = await stream.ReadAnswerAsync();
            (answer.Status, answer.Messages.Count).ShouldBe((0, 1));
            (await caller.CallAsync("/test.Fake/Inspect", [4], ("last", "words"), ("number", $"{i}"))).Status.ShouldBe(0);
            Runtime.CallsOf("Inspect").Single(call => call.Find("number") == $"{i}").Find("last").ShouldBe("words");
        }
    }
}
