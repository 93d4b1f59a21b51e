using ImageCriShim.Relay;
using Frame = ImageCriShim.Tests.Fakes.Frame;
using Http2Setting = ImageCriShim.Tests.Fakes.Http2Setting;

namespace ImageCriShim.Tests.Relay;

public sealed class SettingsFrameTests
{
    [Fact]
    public void What_is_not_changed_stays_in_order_even_what_nobody_knows()
    {
        var frame = Frame.SettingsOf(((Http2Setting)0xabcd, 7), (Http2Setting.EnablePush, 0), ((Http2Setting)0xabcd, 8), (Http2Setting.MaxConcurrentStreams, 100));
        Parse(frame).Encode().ShouldBe(frame.ToBytes());
    }

    [Fact]
    public void An_empty_frame_stays_one() => Parse(Frame.SettingsOf()).Encode().ShouldBe(Frame.SettingsOf().ToBytes());

    [Fact]
    public void Of_several_values_the_last_counts()
    {
        var settings = Parse(Frame.SettingsOf((Http2Setting.InitialWindowSize, 1), (Http2Setting.MaxFrameSize, 9), (Http2Setting.InitialWindowSize, 2)));
        settings.Find(SettingsFrame.InitialWindowSize).ShouldBe(2);
        settings.Find(SettingsFrame.HeaderTableSize).ShouldBeNull();
    }

    [Theory]
    [InlineData(int.MaxValue, int.MaxValue)]
    [InlineData(0x8000_0000, null)] // a FLOW_CONTROL_ERROR that its receiver raises (RFC 9113 section 6.5.2)
    public void A_value_beyond_31_bits_is_none(uint value, int? found) =>
        Parse(Frame.SettingsOf((Http2Setting.InitialWindowSize, value))).Find(SettingsFrame.InitialWindowSize).ShouldBe(found);

    [Fact]
    public void A_value_is_set_once_for_all_that_were_there()
    {
        var settings = Parse(Frame.SettingsOf((Http2Setting.HeaderTableSize, 1), (Http2Setting.EnablePush, 0), (Http2Setting.HeaderTableSize, 2)));
        settings.Set(SettingsFrame.HeaderTableSize, 0, evenIfAbsent: false);
        settings.Encode().ShouldBe(Frame.SettingsOf((Http2Setting.EnablePush, 0), (Http2Setting.HeaderTableSize, 0)).ToBytes());
    }

    [Fact]
    public void A_value_that_is_absent_is_set_only_if_told_so()
    {
        var settings = new SettingsFrame();
        settings.Set(SettingsFrame.HeaderTableSize, 0, evenIfAbsent: false);
        settings.Encode().ShouldBe(Frame.SettingsOf().ToBytes());
        settings.Set(SettingsFrame.HeaderTableSize, 0, evenIfAbsent: true);
        settings.Encode().ShouldBe(Frame.SettingsOf((Http2Setting.HeaderTableSize, 0)).ToBytes());
    }

    [Fact]
    public void Lowering_leaves_what_is_low_and_adds_nothing()
    {
        var settings = Parse(Frame.SettingsOf((Http2Setting.MaxFrameSize, 16_384), (Http2Setting.MaxFrameSize, 0xff_ffff)));
        settings.Lower(SettingsFrame.MaxFrameSize, 256 * 1024);
        settings.Lower(SettingsFrame.HeaderTableSize, 1);
        settings.Encode().ShouldBe(Frame.SettingsOf((Http2Setting.MaxFrameSize, 16_384), (Http2Setting.MaxFrameSize, 256 * 1024)).ToBytes());
    }

    [Theory]
    [InlineData(5, 0, (int)ErrorCode.FrameSizeError)]
    [InlineData(6, 1, (int)ErrorCode.ProtocolError)] // settings of a stream (RFC 9113 section 6.5)
    public void A_malformed_frame_is_refused(int length, int stream, int code) =>
        Should.Throw<Http2ProtocolException>(() => Parse(new Frame(Fakes.FrameType.Settings, 0, stream, new byte[length]))).Code.ShouldBe((ErrorCode)code);

    private static SettingsFrame Parse(Frame frame) => SettingsFrame.Parse(FrameHeader.Read(frame.ToBytes()), frame.ToBytes());
}
