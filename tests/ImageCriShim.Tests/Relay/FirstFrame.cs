using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Relay;

/// <summary>Rule 4 (RFC 9113 section 3.4).</summary>
public sealed class FirstFrame : RelayTest
{
    [Fact]
    public async Task To_the_caller_is_the_runtimes_SETTINGS_even_when_an_answer_is_ready()
    {
        var (caller, runtime) = await Begin(runtime: new() { SendSettings = false, AnswerSettings = false });
        var answer = caller.CallAsync("/edit/Answer", new byte[20_000]);
        await Wait.Until(() => Edits.Calls.Count == 1, "the call is there");
        await Edits.Calls[0].Answering;
        await Wait.AWhile();
        caller.Connection.Received.ShouldBeEmpty();

        runtime.Send(Frame.SettingsOf((Http2Setting.MaxConcurrentStreams, 7)));
        (await answer).Single.Length.ShouldBe(20_000);
        caller.Connection.Received[0].Type.ShouldBe(FrameType.Settings);
        caller.Connection.Received[0].Settings.ShouldBe([(Http2Setting.MaxConcurrentStreams, 7u)]);
    }

    [Fact]
    public async Task Of_the_runtime_that_is_not_SETTINGS_ends_the_connection()
    {
        Expect("the runtime's first frame is not SETTINGS");
        var (caller, runtime) = await Begin(runtime: new() { SendSettings = false, AnswerSettings = false });
        runtime.Send(Frame.Ping(1));
        await Wait.For(caller.Connection.Closed);
    }
}
