using ImageCriShim.Configuration;
using ImageCriShim.Cri;
using ImageCriShim.Relay;
using ImageCriShim.Rewriting;
using ImageCriShim.Tests.Fakes;
using GrpcMessage = ImageCriShim.Cri.GrpcMessage;

namespace ImageCriShim.Tests.Cri;

public sealed class CriCallTests
{
    private static readonly RuntimeClient s_runtime = new(new RuntimeSocket("/nowhere", TimeProvider.System));

    // Nothing else of it is looked at here.
    private static readonly CallEnvironment s_environment = new(
        new ShimSettings { Registries = [] }, null!, null!, s_runtime, new PullRecord([]), new MissingImages([]), TimeProvider.System, null!);

    [Theory]
    [InlineData("99999999H")] // 11,000 years
    [InlineData("99999999S")]
    [InlineData("1M")]
    public async Task A_deadline_however_far_is_no_error(string timeout) =>
        (await new TestCall(timeout).Answer(TestContext.Current.CancellationToken)).ShouldBeNull();

    [Fact]
    public async Task A_deadline_that_has_passed_is_told_in_the_words_of_grpc_go()
    {
        var answer = await new TestCall("0S", Timeout.InfiniteTimeSpan).Answer(TestContext.Current.CancellationToken);
        answer!.Trailers.ShouldBe([new("grpc-status", "4"), new("grpc-message", "context deadline exceeded")]);
    }

    [Theory]
    [InlineData("0affff")] // malformed
    [InlineData("0a020a00")] // an image without anything that is to be restored
    [InlineData("")] // no image, and no name was asked for
    public void An_image_status_that_is_not_ours_to_edit_is_the_runtimes_own(string message)
    {
        var answer = new HeldAnswer();
        answer.AddData(GrpcMessage.Frame(Convert.FromHexString(message)));
        new ImageStatusCall(s_environment, new CallerHead("", null, null, [])).OnAnswer(answer).ShouldBe(Reply.AsItCame);
    }

    [Theory]
    [InlineData("0000000003")] // cut off
    [InlineData("00000000020aff")] // malformed
    [InlineData("0000000000")] // no image
    [InlineData("01000000020aff")] // compressed, no one says how
    public void A_request_without_a_name_is_forwarded(string body) =>
        new TestCall("1M").OnRequest(Convert.FromHexString(body)).ShouldBe(Verdict.Forward);

    [Fact]
    public void An_ID_is_forwarded_and_a_name_is_decided()
    {
        Ask("sha256:" + new string('a', 64)).ShouldBe(Verdict.Forward);
        Ask("nginx").ShouldBe(Verdict.Answer);
    }

    private static Verdict Ask(string image) =>
        new TestCall("1M").OnRequest(GrpcMessage.Frame(ProtoFields.Field(1, ProtoFields.Field(1, image))));

    private sealed class TestCall(string timeout, TimeSpan takes = default)
        : ImageCall(s_environment, new CallerHead("/a/b", GrpcTimeout.Parse(timeout), null, []))
    {
        protected override Verdict DecideName() => Verdict.Answer;

        protected override async Task<StreamAnswer?> AnswerInTime(CancellationToken cancellation)
        {
            await Task.Delay(takes, cancellation);
            return null;
        }
    }
}
