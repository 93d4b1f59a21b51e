using System.Text;
using ImageCriShim.Relay;
using ImageCriShim.Relay.Hpack;
using Frame = ImageCriShim.Tests.Fakes.Frame;
using Header = ImageCriShim.Tests.Fakes.Header;
using Oracle = ImageCriShim.Tests.Fakes.HpackDecoder;

namespace ImageCriShim.Tests.Relay;

public sealed class RequestHeaderWriterTests
{
    private static readonly FrameHeader s_request = new(10, FrameType.Headers, FrameFlags.EndHeaders | FrameFlags.Padded | FrameFlags.Priority, 5);

    private static readonly HeaderField[] s_fields =
        [Field(":method", "POST"), Field(":path", "/a/B"), Field("content-length", "7"), Field("x", "1"), Field("x", "2"), Field("key", "secret") with { NeverIndexed = true }];

    [Fact]
    public void The_path_is_replaced_and_the_rest_stays_in_order()
    {
        var (header, fields, _) = Write(new RequestHeaderWriter(), s_request, new CallRoute(null, "/c/D"u8.ToArray()));
        fields.ShouldBe([(":method", "POST"), (":path", "/c/D"), ("content-length", "7"), ("x", "1"), ("x", "2"), ("key", "secret")]);
        header.ShouldBe(header with { Flags = FrameFlags.EndHeaders, StreamId = 5, Type = FrameType.Headers }); // padding and priority are gone
    }

    [Fact]
    public void The_length_of_a_body_that_will_be_edited_is_left_out() =>
        Write(new RequestHeaderWriter(), s_request, new CallRoute(new NoCall())).Fields.ShouldNotContain(field => field.Name == "content-length");

    [Fact]
    public void The_end_of_the_stream_stays() =>
        Write(new RequestHeaderWriter(), s_request with { Flags = FrameFlags.EndHeaders | FrameFlags.EndStream }, default).Header.EndsStream.ShouldBeTrue();

    [Fact]
    public void The_first_block_empties_the_table_and_later_ones_need_not()
    {
        var writer = new RequestHeaderWriter();
        Write(writer, s_request, default).Block[0].ShouldBe((byte)0x20);
        Write(writer, s_request, default).Block[0].ShouldBe((byte)0x00);
    }

    [Fact]
    public void A_secret_stays_one()
    {
        var (_, _, block) = Write(new RequestHeaderWriter(), s_request, default);
        block[block.AsSpan().IndexOf("key"u8) - 2].ShouldBe((byte)0x10);
    }

    [Fact]
    public void A_long_block_is_continued()
    {
        var fields = Enumerable.Range(0, 60).Select(i => Field($"x-{i}", new string('v', 1000))).ToArray();
        var unit = new RequestHeaderWriter().Write(s_request, fields, default);
        var first = FrameHeader.Read(unit.Span);
        first.Has(FrameFlags.EndHeaders).ShouldBeFalse();
        new Oracle().Decode(Frames.HeaderBlock(first, unit.Span)).Count.ShouldBe(60);
    }

    private static (FrameHeader Header, List<Header> Fields, byte[] Block) Write(RequestHeaderWriter writer, FrameHeader header, CallRoute route)
    {
        var unit = writer.Write(header, s_fields, route);
        var block = unit.Span[Frame.HeaderLength..].ToArray();
        return (FrameHeader.Read(unit.Span), new Oracle().Decode(block), block);
    }

    private static HeaderField Field(string name, string value) => new(Encoding.ASCII.GetBytes(name), Encoding.ASCII.GetBytes(value));

    private sealed class NoCall : EditedCall
    {
        internal override Verdict OnRequest(ReadOnlyMemory<byte> body) => Verdict.Forward;

        internal override Task<StreamAnswer?> Answer(CancellationToken cancellation) => Task.FromResult<StreamAnswer?>(null);
    }
}
