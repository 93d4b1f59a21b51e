using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Relay;

/// <summary>Rule 1: each header block of the runtime stands alone, so that it can be held, dropped or replaced.</summary>
public sealed class ResponseHeaders : RelayTest
{
    [Fact]
    public async Task Are_written_without_a_table_because_the_first_settings_say_so()
    {
        var (caller, runtime) = await Begin(new() { Settings = [(Http2Setting.InitialWindowSize, 70_000)] });
        (await caller.CallAsync("/test.Fake/Unary", [1])).Status.ShouldBe(0);
        var settings = runtime.Received[0].Settings.ToList();
        settings.ShouldContain((Http2Setting.HeaderTableSize, 0u));
        settings.ShouldContain((Http2Setting.InitialWindowSize, 70_000u));
    }

    [Fact]
    public async Task Are_written_without_a_table_although_the_caller_asks_for_one()
    {
        var (caller, runtime) = await Begin(new() { Settings = [(Http2Setting.HeaderTableSize, 8192), (Http2Setting.HeaderTableSize, 9)] });
        caller.Connection.Send(Frame.SettingsOf((Http2Setting.HeaderTableSize, 65_536)));
        caller.Connection.Send(Frame.SettingsOf((Http2Setting.MaxHeaderListSize, 9_999)));
        await caller.Connection.PingAsync();
        var settings = runtime.Received.Where(frame => frame.Type == FrameType.Settings && !frame.Has(FrameFlags.Ack)).ToList();
        settings[0].Settings.ShouldBe([(Http2Setting.HeaderTableSize, 0u)]);
        settings[1].Settings.ShouldBe([(Http2Setting.HeaderTableSize, 0u)]);
        settings[2].Settings.ShouldBe([(Http2Setting.MaxHeaderListSize, 9_999u)]);
    }

    /// <summary>
    /// A caller that lowered its table waits for the size update that RFC 7541 section 4.2 has the runtime put at the front of its
    /// first block; it must not be lost with a block that is held or dropped.
    /// </summary>
    [Fact]
    public async Task Begin_with_the_size_update_that_a_held_block_would_have_brought()
    {
        var first = true;
        byte[] Encode(IEnumerable<Header> fields)
        {
            byte[] update = first ? [0x20] : [];
            first = false;
            return [.. update, .. Hpack.Encode(fields)];
        }

        var (caller, _) = await Begin(new() { Settings = [(Http2Setting.HeaderTableSize, 0)] }, new() { Encoder = () => Encode });
        var release = new TaskCompletionSource();
        Runtime.On("/edit/Watch", async call =>
        {
            await call.ReadRequestAsync();
            call.SendHeaders();
            await release.Task;
            call.Finish();
        });
        var held = caller.CallAsync("/edit/Watch", [1]);
        await Wait.Until(() => !first, "the runtime has sent its first block, which is held");
        (await caller.CallAsync("/test.Fake/Unary", [1])).Status.ShouldBe(0);
        release.SetResult();
        (await held).Status.ShouldBe(0);
        caller.Connection.Received.First(frame => frame.Type == FrameType.Headers).Body[0].ShouldBe((byte)0x20);
    }
}
