using System.Text;
using ImageCriShim.Tests.Fakes;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Relay;

/// <summary>Rules 7, 8 and 9 with the shim's own edited calls: compression, connections of our own, fields that nobody knows.</summary>
public sealed class EditedImageCalls : CriRelayTest
{
    [Fact]
    public async Task Of_our_own_go_over_a_connection_of_our_own()
    {
        StartCri();
        Registry.Add("library/nginx", "1.25");
        var caller = await Connect();
        (await caller.CallAsync("/test.Fake/Unary", [1])).Status.ShouldBe(0);
        var pulled = (await caller.CallAsync(ImageService + "PullImage", For("nginx:1.25"))).Single;
        FindText(pulled, 1).ShouldBe(Runtime.Images.Find(AtRegistry("nginx:1.25"))!.Id);

        Runtime.Connections.Count.ShouldBe(2);
        await Runtime.Connections[0].WaitForFrame(FrameType.RstStream);
        var callers = Runtime.Connections[0].Received.Where(frame => frame.Stream == 3).Select(frame => frame.Type);
        callers.ShouldBe([FrameType.Headers, FrameType.RstStream]);
        Runtime.Connections[1].Streams.Count.ShouldBe(1);
        (await caller.CallAsync(ImageService + "PullImage", For("nginx:1.25"))).Status.ShouldBe(0);
        Runtime.Connections.Count.ShouldBeInRange(2, 3); // it is kept, unless the answer took more than a moment
    }

    [Fact]
    public async Task Keep_the_fields_that_nobody_knows()
    {
        StartCri();
        Registry.Add("library/nginx", "1.25");
        var caller = await Connect();
        await caller.CallAsync(ImageService + "PullImage", For("nginx:1.25"));
        var request = Runtime.CallsOf("PullImage").Single(call => call.Requests.Count > 0).Requests[0];
        FindText(request, 1, 1).ShouldBe(AtRegistry("nginx:1.25"));
        FindText(request, 1, 777).ShouldBe("of the spec");
        FindText(request, 999).ShouldBe("of the request");

        var status = (await caller.CallAsync(ImageService + "ImageStatus", For("nginx:1.25"))).Single;
        FindText(status, 1, 1000).ShouldBe("unknown");
        FindText(Runtime.CallsOf("ImageStatus").Last().Requests[0], 999).ShouldBe("of the request");

        (await caller.CallAsync(ImageService + "RemoveImage", For("nginx:1.25"))).Status.ShouldBe(0);
        FindText(Runtime.CallsOf("RemoveImage").Last().Requests[0], 1, 777).ShouldBe("of the spec");
        Runtime.Images.All.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("nginx:1.25")] // known as given
    [InlineData("other:1")] // known under its candidate's name
    [InlineData("absent:1")]
    public async Task That_are_compressed_are_inflated_both_ways(string image)
    {
        StartCri();
        Runtime.Images.Add("nginx:1.25");
        Runtime.Images.Add(AtRegistry("other:1"));
        Runtime.On(ImageService + "ImageStatus", async call =>
        {
            var found = Runtime.Images.Find(FindText(await call.ReadRequestAsync(), 1, 1));
            await call.SendAsync(found is null ? [] : Field(1, found.ToMessage()), gzip: call.Find("grpc-encoding") is not null);
            call.Finish();
        });
        var caller = await Connect();
        var stream = caller.Start(ImageService + "ImageStatus", ("grpc-encoding", "gzip"), ("grpc-accept-encoding", "gzip"));
        await stream.SendMessageAsync(For(image), end: true, gzip: true);
        var id = FindText((await stream.ReadAnswerAsync()).Single, 1, 1);
        id.ShouldBe((Runtime.Images.Find(image) ?? Runtime.Images.Find(AtRegistry(image)))?.Id ?? "");
    }

    [Theory]
    [InlineData("PullImage")]
    [InlineData("ImageStatus")]
    [InlineData("RemoveImage")]
    public async Task That_are_compressed_in_a_way_that_we_do_not_know_are_passed_on_as_given(string method)
    {
        StartCri();
        byte[] body = [1, 0, 0, 0, 4, 9, 8, 7, 6];
        byte[]? seen = null;
        Runtime.On(ImageService + method, async call =>
        {
            seen = (await call.Stream.ReadMessageAsync())!.Bytes;
            await call.AnswerAsync([]);
        });
        var caller = await Connect();
        foreach (var encoding in (string[])["snappy", "gzip"]) // the second is a lie
        {
            var stream = caller.Start(ImageService + method, ("grpc-encoding", encoding));
            await stream.SendDataAsync(body, end: true);
            (await stream.ReadAnswerAsync()).Status.ShouldBe(0);
            seen.ShouldBe([9, 8, 7, 6]);
        }
    }

    [Theory]
    [InlineData("not protobuf at all")]
    [InlineData("two messages")]
    [InlineData("no message")]
    [InlineData("an empty message")]
    [InlineData("an image ID")]
    public async Task That_are_not_ours_to_judge_are_passed_on_as_given(string what)
    {
        StartCri();
        byte[] body = what switch
        {
            "not protobuf at all" => GrpcMessage.Encode([0xff, 0xff]),
            "two messages" => [.. GrpcMessage.Encode(For("nginx")), .. GrpcMessage.Encode(For("nginx"))],
            "no message" => [],
            "an empty message" => GrpcMessage.Encode([]),
            _ => GrpcMessage.Encode(For("sha256:" + new string('a', 64))),
        };
        var seen = new MemoryStream();
        Runtime.On(ImageService + "PullImage", async call =>
        {
            while (await call.Stream.ReadMessageAsync() is { } message)
                seen.Write(GrpcMessage.Encode(message.Bytes));
            call.Fail(3, "the runtime's own error");
        });
        var caller = await Connect();
        var stream = caller.Start(ImageService + "PullImage");
        await stream.SendDataAsync(body, end: true);
        (await stream.ReadAnswerAsync()).Message.ShouldBe("the runtime's own error");
        seen.ToArray().ShouldBe(body);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // the whole connection goes
    public async Task That_the_caller_cancels_end_at_the_runtime_too(bool whole)
    {
        StartCri();
        Registry.Add("library/nginx", "1.25");
        Runtime.Images.BeforePull = (_, cancelled) => Task.Delay(Timeout.Infinite, cancelled);
        var caller = await Connect();
        var stream = caller.Start(ImageService + "PullImage");
        await stream.SendMessageAsync(For("nginx:1.25"), end: true);
        await Wait.Until(() => Runtime.CallsOf("PullImage").Any(call => call.Image.Length > 0), "the runtime pulls");
        if (whole)
            caller.Connection.Abort();
        else
            stream.Cancel();
        var pull = Runtime.CallsOf("PullImage").Single(call => call.Image.Length > 0);
        await Wait.Until(() => pull.CancelledAt is not null, "the runtime sees it");
    }

    [Fact]
    public async Task That_the_runtime_answers_with_more_than_16_MiB_are_refused_with_the_limit()
    {
        Expect("pull of nginx:1.25");
        Expect("not pulled nginx:1.25");
        StartCri();
        Registry.Add("library/nginx", "1.25");
        Runtime.On(ImageService + "PullImage", call => call.AnswerAsync(new byte[16 * 1024 * 1024 + 1]));
        var caller = await Connect();
        var answer = await caller.CallAsync(ImageService + "PullImage", For("nginx:1.25"));
        answer.Status.ShouldBe(8);
        answer.Message.ShouldContain("16777216");
        Runtime.CallsOf("PullImage").Count().ShouldBe(3); // the caller's, the candidate's, the one as given: none twice
    }

    [Fact]
    public async Task Survive_a_restart_of_the_runtime_between_them()
    {
        StartCri();
        Registry.Add("library/nginx", "1.25");
        (await (await Connect()).CallAsync(ImageService + "PullImage", For("nginx:1.25"))).Status.ShouldBe(0);
        await Runtime.DisposeAsync();
        StartRuntime();
        (await (await Connect()).CallAsync(ImageService + "PullImage", For("nginx:1.25"))).Status.ShouldBe(0);
    }

    [Fact]
    public async Task Of_an_answer_larger_than_all_windows_come_whole()
    {
        StartCri();
        var image = Runtime.Images.Add(AtRegistry("large:1"));
        var info = Field(2, Message(Field(1, "info"), Field(2, new string('i', 3_000_000))));
        Runtime.On(ImageService + "ImageStatus", async call =>
        {
            var found = Runtime.Images.Find(FindText(await call.ReadRequestAsync(), 1, 1));
            await call.AnswerAsync(found is null ? [] : Message(Field(1, found.ToMessage()), info));
        });
        var caller = await Connect();
        var status = (await caller.CallAsync(ImageService + "ImageStatus", For("large:1"))).Single;
        FindText(status, 1, 1).ShouldBe(image.Id);
        Encoding.UTF8.GetByteCount(FindText(status, 2, 2)).ShouldBe(3_000_000);
    }
}
