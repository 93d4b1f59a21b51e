using ImageCriShim.Relay;
using Frame = ImageCriShim.Tests.Fakes.Frame;
using PriorityFields = ImageCriShim.Tests.Fakes.PriorityFields;

namespace ImageCriShim.Tests.Relay;

/// <summary>What a peer sends, cut in whichever way, comes out as units: whole frames, header blocks with all their continuations.</summary>
public sealed class FrameBufferTests
{
    private static readonly byte[] s_block = [.. Enumerable.Range(0, 200).Select(i => (byte)i)];

    // One of each kind that RFC 9113 allows; every inner array is one unit.
    private static readonly Frame[][] s_units =
    [
        [Frame.SettingsOf((Fakes.Http2Setting.InitialWindowSize, 1))],
        [Frame.Headers(1, s_block)],
        [Frame.Headers(3, s_block, end: true, padding: 7, priority: new PriorityFields(1, true))],
        [Frame.Headers(5, [], endHeaders: false), Frame.Continuation(5, [], endHeaders: false), Frame.Continuation(5, s_block)],
        [Frame.Headers(7, s_block.AsSpan(0, 1), endHeaders: false, padding: 0), Frame.Continuation(7, s_block.AsSpan(1))],
        [Frame.Data(1, s_block)],
        [Frame.Data(1, [], end: true)],
        [Frame.Data(3, s_block, padding: 255)],
        [Frame.Data(3, [], padding: 0)],
        [Frame.Priority(9, new PriorityFields(0))],
        [new Frame((Fakes.FrameType)0xbe, (Fakes.FrameFlags)0xff, 11, [1, 2, 3])],
        [new Frame(Fakes.FrameType.PushPromise, 0, 1, [0, 0, 0, 2]), Frame.Continuation(1, s_block)],
        [Frame.RstStream(1, Fakes.Http2Error.Cancel)],
        [Frame.GoAway(3, Fakes.Http2Error.NoError, "bye")],
    ];

    private static byte[][] Units => [.. s_units.Select(unit => unit.SelectMany(frame => frame.ToBytes()).ToArray())];

    [Fact]
    public void Frames_cut_at_every_byte_come_out_as_the_same_units()
    {
        var octets = Units.SelectMany(unit => unit).ToArray();
        for (var cut = 0; cut <= octets.Length; cut++)
        {
            var buffer = new FrameBuffer();
            List<byte[]> units = [];
            buffer.Append(octets.AsSpan(0, cut));
            Take(buffer, units);
            buffer.Append(octets.AsSpan(cut));
            Take(buffer, units);
            units.ShouldBe(Units);
            buffer.Unread.Length.ShouldBe(0);
        }
    }

    [Fact]
    public void Single_octets_come_out_as_the_same_units()
    {
        var buffer = new FrameBuffer();
        List<byte[]> units = [];
        foreach (var octet in Units.SelectMany(unit => unit))
        {
            buffer.Append([octet]);
            Take(buffer, units);
        }

        units.ShouldBe(Units);
    }

    [Fact]
    public void A_unit_can_be_looked_at_behind_others()
    {
        var buffer = new FrameBuffer();
        buffer.Append(Units.SelectMany(unit => unit).ToArray());
        var offset = 0;
        foreach (var (unit, frames) in Units.Zip(s_units))
        {
            buffer.TryPeek(offset, out var header, out var length).ShouldBeTrue();
            length.ShouldBe(unit.Length);
            ((byte)header.Type, header.StreamId, header.EndsStream).ShouldBe(((byte)frames[0].Type, frames[0].Stream, frames[0].EndsStream));
            offset += length;
        }

        buffer.TryPeek(offset, out _, out _).ShouldBeFalse();
    }

    [Fact]
    public void The_reserved_bit_of_a_stream_is_ignored()
    {
        var frame = Frame.Data(5, [1]).ToBytes();
        frame[5] |= 0x80;
        FrameHeader.Read(frame).StreamId.ShouldBe(5);
    }

    [Fact]
    public void A_frame_of_the_largest_size_is_held_whole_and_one_octet_more_is_refused_at_its_header()
    {
        var buffer = new FrameBuffer();
        buffer.Append(Frame.Data(1, new byte[RelayLimits.FrameBytes]).ToBytes());
        buffer.TryPeek(0, out _, out var length).ShouldBeTrue();
        length.ShouldBe(FrameHeader.Size + RelayLimits.FrameBytes);
        buffer.Consume(length);
        buffer.Append(Frame.Data(1, new byte[RelayLimits.FrameBytes + 1]).ToBytes().AsSpan(0, FrameHeader.Size));
        Refusal(buffer).Code.ShouldBe(ErrorCode.FrameSizeError);
    }

    [Fact]
    public void A_continuation_that_continues_nothing_is_refused()
    {
        var buffer = new FrameBuffer();
        buffer.Append(Frame.Continuation(1, [1]).ToBytes());
        Refusal(buffer).Code.ShouldBe(ErrorCode.ProtocolError);
    }

    [Theory]
    [InlineData(0, 1)] // DATA of the same stream
    [InlineData(6, 0)] // PING
    [InlineData(1, 3)] // HEADERS of another
    [InlineData(9, 3)] // a continuation of another
    [InlineData(0xbe, 1)] // unknown: even that (RFC 9113 section 5.5)
    public void Nothing_may_stand_in_a_header_block(int type, int stream)
    {
        var buffer = new FrameBuffer();
        buffer.Append(Frame.Headers(1, [1], endHeaders: false).ToBytes());
        buffer.TryPeek(0, out _, out _).ShouldBeFalse();
        // The header is enough: a payload may never come.
        buffer.Append(new Frame((Fakes.FrameType)type, Fakes.FrameFlags.EndHeaders, stream, new byte[8]).ToBytes().AsSpan(0, FrameHeader.Size));
        Refusal(buffer).Code.ShouldBe(ErrorCode.ProtocolError);
    }

    [Fact]
    public void A_flood_of_empty_continuations_is_refused()
    {
        var buffer = new FrameBuffer();
        buffer.Append(Frame.Headers(1, [], endHeaders: false).ToBytes());
        for (var frames = 1; frames < RelayLimits.Continuations; frames++)
        {
            buffer.Append(Frame.Continuation(1, [], endHeaders: false).ToBytes());
            buffer.TryPeek(0, out _, out _).ShouldBeFalse();
        }

        buffer.Append(Frame.Continuation(1, [], endHeaders: false).ToBytes());
        Refusal(buffer).Code.ShouldBe(ErrorCode.EnhanceYourCalm);
    }

    [Fact]
    public void A_header_block_of_endless_length_is_refused_when_it_is_too_long()
    {
        var buffer = new FrameBuffer();
        buffer.Append(Frame.Headers(1, new byte[16_384], endHeaders: false).ToBytes());
        while (buffer.Unread.Length <= RelayLimits.HeaderBlockBytes)
        {
            buffer.TryPeek(0, out _, out _).ShouldBeFalse();
            buffer.Append(Frame.Continuation(1, new byte[16_384], endHeaders: false).ToBytes());
        }

        Refusal(buffer).Code.ShouldBe(ErrorCode.EnhanceYourCalm);
    }

    [Fact]
    public void A_header_block_is_joined_without_padding_and_priority()
    {
        Frame[] frames =
        [
            Frame.Headers(1, s_block.AsSpan(0, 50), endHeaders: false, padding: 9, priority: new PriorityFields(3)),
            Frame.Continuation(1, s_block.AsSpan(50, 100), endHeaders: false),
            Frame.Continuation(1, s_block.AsSpan(150)),
        ];
        var unit = frames.SelectMany(frame => frame.ToBytes()).ToArray();
        Frames.HeaderBlock(FrameHeader.Read(unit), unit).ToArray().ShouldBe(s_block);
    }

    [Theory]
    [InlineData("", 0x8)] // no pad length
    [InlineData("01", 0x8)] // padded beyond the end
    [InlineData("03aabb", 0x8)]
    [InlineData("00000000", 0x20)] // too short for a priority
    [InlineData("0100000000ff", 0x28)] // padding reaches into the priority
    public void Headers_that_do_not_fit_their_frame_are_refused(string payload, int flags)
    {
        var unit = new Frame(Fakes.FrameType.Headers, (Fakes.FrameFlags)flags | Fakes.FrameFlags.EndHeaders, 1, Convert.FromHexString(payload)).ToBytes();
        Should.Throw<Http2ProtocolException>(() => { Frames.HeaderBlock(FrameHeader.Read(unit), unit); });
    }

    [Theory]
    [InlineData("00", "")]
    [InlineData("0100", "")] // nothing but padding
    [InlineData("01aa00", "aa")]
    public void Padding_is_taken_off_data(string payload, string data)
    {
        var frame = new Frame(Fakes.FrameType.Data, Fakes.FrameFlags.Padded, 1, Convert.FromHexString(payload)).ToBytes();
        Convert.ToHexStringLower(Frames.Data(FrameHeader.Read(frame), frame)).ShouldBe(data);
    }

    [Fact]
    public void A_long_header_block_is_written_in_frames_that_everybody_accepts()
    {
        var block = new byte[40_000];
        new Random(1).NextBytes(block);
        var written = new System.Buffers.ArrayBufferWriter<byte>();
        Frames.WriteHeaders(written, 5, block, endStream: true);
        var buffer = new FrameBuffer();
        buffer.Append(written.WrittenSpan);
        buffer.TryPeek(0, out var header, out var length).ShouldBeTrue();
        (header.EndsStream, header.StreamId, length).ShouldBe((true, 5, written.WrittenCount));
        header.Length.ShouldBe(Frames.MaxPayload);
        Frames.HeaderBlock(header, written.WrittenSpan).ToArray().ShouldBe(block);
    }

    private static Http2ProtocolException Refusal(FrameBuffer buffer) =>
        Should.Throw<Http2ProtocolException>(() => buffer.TryPeek(0, out _, out _));

    private static void Take(FrameBuffer buffer, List<byte[]> into)
    {
        while (buffer.TryPeek(0, out _, out var length))
        {
            into.Add(buffer.Unread[..length].ToArray());
            buffer.Consume(length);
        }
    }
}
