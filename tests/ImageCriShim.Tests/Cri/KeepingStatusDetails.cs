using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Rewriting;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Cri;

/// <summary>
/// A gRPC library that finds <c>grpc-status-details-bin</c> takes code and message from it (grpc-go: status.FromProto), so kubelet would
/// show those of one attempt if they were passed on as they are.
/// </summary>
public sealed class KeepingStatusDetails : PullTest
{
    private const string Trailer = "grpc-status-details-bin";

    private static readonly byte[] s_detail = Message(Field(1, "type.googleapis.com/a.Detail"), Field(2, [0, 1, 2, 255]));

    public KeepingStatusDetails()
    {
        Prepare();
        Expect("pull of ");
        Expect("not pulled ");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Of_the_attempt_that_came_furthest_with_the_message_of_the_whole_story(bool isPadded)
    {
        await StartWith(
            (5, Details(5, "not found")),
            (8, Message(Details(8, "the disk is full"), Field(3, s_detail), Field(3, "second"), Field(1000, "unknown"))),
            isPadded);

        var answer = await Pull(Image());

        answer.Status.ShouldBe(8);
        answer.Message.ShouldStartWith("image ");
        var fields = Read(Convert.FromBase64String(Pad(answer.Trailers.Single(field => field.Name == Trailer).Value)));
        fields.Single(field => field.Number == 1).Value.ShouldBe(8ul);
        fields.Single(field => field.Number == 2).Text.ShouldBe(answer.Message);
        fields.Where(field => field.Number == 3).Select(field => field.Bytes).ShouldBe([s_detail, "second"u8.ToArray()]);
        fields.Single(field => field.Number == 1000).Text.ShouldBe("unknown");
    }

    [Theory]
    [InlineData("!not base64!")]
    [InlineData("CAg=,CAg=")]
    [InlineData("EgU")] // protobuf that ends within a field
    public async Task That_cannot_be_read_are_left_out(string details)
    {
        First.Add("team/app", "1.0");
        Runtime.On(ImageService + "PullImage", async call =>
        {
            await call.ReadRequestAsync();
            call.Fail(8, "the disk is full", (Trailer, details));
        });
        await Start();

        var answer = await Pull(Image());

        answer.Status.ShouldBe(8);
        answer.Trailers.ShouldNotContain(field => field.Name == Trailer);
    }

    [Fact]
    public async Task Of_an_image_that_is_pulled_as_given_alone_are_the_runtimes_own()
    {
        var own = Convert.ToBase64String(Details(8, "the disk is full"));
        Runtime.On(ImageService + "PullImage", async call =>
        {
            await call.ReadRequestAsync();
            call.Fail(8, "the disk is full", (Trailer, own));
        });
        await Start(adjust: settings => settings with { Exclude = [ResolveCase.Pattern($"{OriginDown}/team")] });

        var answer = await Pull(Image());

        answer.Message.ShouldBe("the disk is full");
        answer.Trailers.Single(field => field.Name == Trailer).Value.ShouldBe(own);
    }

    private async Task StartWith((int Code, byte[] Details) first, (int Code, byte[] Details) second, bool isPadded)
    {
        First.Add("team/app", "1.0");
        Second.Add("team/app", "1.0");
        Runtime.On(ImageService + "PullImage", async call =>
        {
            await call.ReadRequestAsync();
            var (code, details) = call.Image.StartsWith(First.Host, StringComparison.Ordinal) ? first
                : call.Image.StartsWith(Second.Host, StringComparison.Ordinal) ? second : (14, Details(14, "no such host"));
            var sent = Convert.ToBase64String(details);
            call.Fail(code, "of one attempt", (Trailer, isPadded ? sent : sent.TrimEnd('=')));
        });
        await Start();
    }

    private static byte[] Details(ulong code, string message) => Message(Field(1, code), Field(2, message));

    private static string Pad(string value) => value.PadRight((value.Length + 3) / 4 * 4, '=');
}
