using ImageCriShim.Configuration;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Rewriting;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Cri;

/// <summary>
/// A call that must not use a forbidden image, in a form that a runtime may read and the shim does not. While nothing is forbidden it is
/// the runtime's.
/// </summary>
public sealed class RefusingWhatCannotBeRead : PullTest
{
    private const int InvalidArgument = 3;
    private const int EditedAtOnce = 1024;
    private const string Evil = "evil.test/app:1";

    private static readonly byte[] Request = Field(1, Field(1, Evil));

    public RefusingWhatCannotBeRead()
    {
        Prepare();
        Expect("not pulled");
        Expect("pull of ");
        Runtime.Images.OnlyPulls.Clear();
    }

    /// <summary>What follows the gRPC prefix, or the whole where it is framed already.</summary>
    public static TheoryData<string> Forms =>
        ["two messages", "a group", "a group in the spec", "a wide tag", "a wide tag in the spec", "cut off", "unknown compression"];

    [Theory, MemberData(nameof(Forms))]
    public async Task A_pull_is_refused_while_anything_is_blocked(string form)
    {
        await Start(adjust: settings => settings with { Block = [ResolveCase.Pattern("evil.test")] });
        await ShouldBeRefused(ImageService + "PullImage", form);
    }

    [Theory, MemberData(nameof(Forms))]
    public async Task A_pull_is_refused_with_offlineOnly(string form)
    {
        await Start(adjust: Offline);
        await ShouldBeRefused(ImageService + "PullImage", form);
        await ShouldBeRefused("/runtime.v1alpha2.ImageService/PullImage", form);
    }

    [Theory]
    [InlineData("/runtime.v1.ImageService/ImageStatus")]
    [InlineData("/runtime.v1.RuntimeService/CreateContainer")]
    public async Task So_are_the_other_calls_that_ask_what_is_forbidden(string path)
    {
        Runtime.On(path, FailAtTheEnd); // not sooner, as a method that is unknown does
        await Start(adjust: Offline);
        await ShouldBeRefused(path, "two messages");
        await ShouldBeRefused(path, "a group");
    }

    [Theory]
    [InlineData("runtime.v1.ImageService/PullImage")]
    [InlineData("runtime.v1alpha2.ImageService/PullImage")]
    [InlineData("runtime.v1.ImageService/ImageStatus")]
    [InlineData("runtime.v1.RuntimeService/CreateContainer")]
    public async Task A_path_without_its_slash_is_refused(string path)
    {
        Runtime.On(path, FailAtTheEnd); // as grpc-go knows it
        await Start(adjust: Offline);
        await ShouldBeRefused(path, "as usual");
    }

    // Python's gRPC takes the last, and we would take the first (RFC 9113 section 8.3.1).
    [Theory]
    [InlineData("/runtime.v1.RuntimeService/Version", "/runtime.v1.ImageService/PullImage")]
    [InlineData("/runtime.v1.ImageService/ListImages", "/runtime.v1alpha2.ImageService/PullImage")]
    [InlineData("/runtime.v1.ImageService/ImageStatus", "runtime.v1.ImageService/PullImage")]
    [InlineData("/other.Service/Method", "/runtime.v1.RuntimeService/CreateContainer")]
    public async Task A_call_with_another_path_beside_its_own_is_refused_before_its_request(string path, string other)
    {
        await Start(adjust: Offline);
        var before = Runtime.Calls.Count;
        var stream = Caller.Start(path, (":path", other));
        var answer = await stream.ReadAnswerAsync();
        answer.Status.ShouldBe(InvalidArgument, answer.Message);
        answer.Message.ShouldContain("cannot be read");
        await stream.SendDataAsync(Make("as usual"), end: true);
        (await Caller.CallAsync("/runtime.v1.RuntimeService/Version", [])).Status.ShouldBe(0); // comes after it, and is all that the runtime hears
        Runtime.Calls.Skip(before).ShouldHaveSingleItem().Path.ShouldEndWith("/Version");
    }

    [Fact]
    public async Task The_1025th_pull_at_once_is_refused_and_the_runtime_never_hears_of_it()
    {
        await Start(adjust: Offline);
        var waiting = new List<RawStream>();
        for (var i = 0; i < EditedAtOnce; i++)
            waiting.Add(Caller.Start(ImageService + "PullImage")); // its request has not come yet

        await Wait.Until(() => Runtime.CallsOf("PullImage").Count() == EditedAtOnce, "the runtime has seen the beginning of each");
        await ShouldBeRefused(ImageService + "PullImage", "as usual");
        Runtime.CallsOf("PullImage").Count().ShouldBe(EditedAtOnce);

        foreach (var stream in waiting)
            await stream.SendMessageAsync(Request, end: true);
        foreach (var stream in waiting)
            (await stream.ReadAnswerAsync()).Status.ShouldBe(5); // nobody has it
        (await Pull(Evil)).Status.ShouldBe(5);
        ShouldHavePulledNothing();
    }

    [Theory, MemberData(nameof(Forms))]
    public async Task While_nothing_is_forbidden_it_is_the_runtimes(string form)
    {
        Runtime.On(ImageService + "PullImage", FailAtTheEnd);
        await Start();

        (await Send(ImageService + "PullImage", form)).Message.ShouldBe("so says the runtime");
    }

    private static async Task FailAtTheEnd(FakeCall call)
    {
        while (await call.Stream.ReadMessageAsync() is not null)
        {
        }

        call.Fail(2, "so says the runtime");
    }

    private static ShimSettings Offline(ShimSettings settings) => settings with { OfflineOnly = true };

    private async Task ShouldBeRefused(string path, string form)
    {
        var answer = await Send(path, form);
        answer.Status.ShouldBe(InvalidArgument, $"{form}: {answer.Message}");
        answer.Message.ShouldContain("cannot be read");
        ShouldHavePulledNothing();
    }

    private void ShouldHavePulledNothing() => Runtime.CallsOf("PullImage").SelectMany(call => call.Requests).ShouldBeEmpty();

    private async Task<RawAnswer> Send(string path, string form)
    {
        var stream = form == "unknown compression" ? Caller.Start(path, ("grpc-encoding", "snappy")) : Caller.Start(path);
        await stream.SendDataAsync(Make(form), end: true);
        return await stream.ReadAnswerAsync();
    }

    private static byte[] Make(string form)
    {
        byte[] group = [0x9b, 0x06, 0x9c, 0x06]; // 99, begin and end
        byte[] wide = [0x8a, 0x80, 0x80, 0x80, 0x80, 0x01, 0x01, (byte)'x']; // of field 1, with a bit beyond the 32nd
        var once = Fakes.GrpcMessage.Encode(Request);
        return form switch
        {
            "two messages" => [.. once, .. Fakes.GrpcMessage.Encode([])],
            "a group" => Fakes.GrpcMessage.Encode([.. Request, .. group]),
            "a group in the spec" => Fakes.GrpcMessage.Encode(Field(1, [.. Field(1, Evil), .. group])),
            "a wide tag" => Fakes.GrpcMessage.Encode([.. Request, .. wide]),
            "a wide tag in the spec" => Fakes.GrpcMessage.Encode(Field(1, [.. Field(1, Evil), .. wide])),
            "cut off" => Fakes.GrpcMessage.Encode([.. Request, 0x1a, 0x7f]),
            "unknown compression" => [1, .. once[1..]],
            _ => once,
        };
    }
}
