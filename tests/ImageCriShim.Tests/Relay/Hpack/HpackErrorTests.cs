using System.Text;
using ImageCriShim.Relay.Hpack;

namespace ImageCriShim.Tests.Relay;

/// <summary>Every way in which a header block can be wrong ends with an <see cref="HpackException"/> and nothing else.</summary>
public sealed class HpackErrorTests
{
    [Theory]
    [InlineData("80", "index 0 ")]
    [InlineData("be", "index 62 ")] // the dynamic table is empty
    [InlineData("0f8001", "index 143 ")] // the name of a literal
    [InlineData("ffffffffff0f", "too large")]
    [InlineData("ff80808080808000", "too large")] // five octets that add nothing: nobody writes a number so
    [InlineData("ff", "ends within")]
    [InlineData("40", "ends within")] // no name
    [InlineData("41", "ends within")] // a name by index, no value
    [InlineData("000161", "ends within")] // a name, no value
    [InlineData("400a6375", "longer than its header block")]
    [InlineData("0001617f", "ends within")]
    [InlineData("0001617fffffff7f", "longer than its header block")] // a length that would not fit into memory
    [InlineData("8220", "behind a field")]
    [InlineData("3fe21f", "update to 4097")]
    [InlineData("0001618100", "padding")] // '0' and three zeros
    [InlineData("00016181ff", "padding")] // eight ones
    [InlineData("000161821fff", "padding")] // 'a' and eleven ones
    [InlineData("00016184ffffffff", "end-of-string")]
    public void A_malformed_block_is_refused(string block, string complaint) =>
        Should.Throw<HpackException>(() => Decode(new HpackDecoder(4096), block)).Message.ShouldContain(complaint);

    [Fact]
    public void A_block_cut_anywhere_is_refused_or_shorter()
    {
        var block = Convert.FromHexString("828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf");
        for (var length = 0; length < block.Length; length++)
        {
            var decoder = new HpackDecoder(4096);
            Decode(decoder, "828684418cf1e3c2e5f23a6ba0ab90f4ff");
            Decode(decoder, "828684be5886a8eb10649cbf");
            var fields = new List<HeaderField>();
            try
            {
                decoder.Decode(block.AsSpan(0, length), fields);
                fields.Count.ShouldBeLessThan(5);
            }
            catch (HpackException)
            {
                // cut within a field
            }
        }
    }

    [Fact]
    public void The_size_may_be_updated_twice_at_the_beginning() =>
        Decode(new HpackDecoder(4096), "203fe11f82").Count.ShouldBe(1); // to 0 and to 4096 (RFC 7541 section 4.2)

    [Fact]
    public void A_size_is_allowed_once_the_receiver_has_raised_its_limit_and_stays_so()
    {
        var decoder = new HpackDecoder(4096);
        decoder.RaiseTableSizeLimit(4097);
        decoder.RaiseTableSizeLimit(0); // the encoder may not have seen it yet
        Decode(decoder, "3fe21f");
    }

    [Fact]
    public void An_entry_larger_than_the_table_empties_it()
    {
        var decoder = new HpackDecoder(100_000);
        Decode(decoder, "400161016240016301" + "64");
        Decode(decoder, Convert.ToHexString([0x40, 1, (byte)'n', 0x7f, 0x81, 0x1f, .. Enumerable.Repeat((byte)'v', 4096)]));
        Should.Throw<HpackException>(() => Decode(decoder, "be"));
    }

    [Fact]
    public void A_name_survives_the_eviction_of_its_entry_by_the_field_that_uses_it()
    {
        var decoder = new HpackDecoder(100_000);
        Decode(decoder, "3f29" + "4003616263" + "0178"); // a table of 72 octets holds just abc: x
        var field = Decode(decoder, "7e" + "26" + string.Concat(Enumerable.Repeat("79", 38))).Single(); // abc by index 62, evicts it (section 4.4)
        Encoding.ASCII.GetString(field.Name.Span).ShouldBe("abc");
        Should.Throw<HpackException>(() => Decode(decoder, "be"));
    }

    [Fact]
    public void A_bomb_of_indexed_fields_is_refused_and_costs_little()
    {
        var decoder = new HpackDecoder(512 * 1024);
        byte[] entry = [0x40, 1, (byte)'n', 0x7f, 0xa1, 0x1e, .. Enumerable.Repeat((byte)'v', 4000)];
        Decode(decoder, Convert.ToHexString(entry)); // fills the table
        var bomb = Enumerable.Repeat((byte)0xbe, 256 * 1024).ToArray(); // 1 GiB, decoded
        var fields = new List<HeaderField>();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Should.Throw<HpackException>(() => decoder.Decode(bomb, fields)).Message.ShouldContain("more than");
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(256 * 1024);
    }

    [Fact]
    public void A_bomb_of_empty_fields_is_refused_because_each_counts()
    {
        var bomb = Enumerable.Repeat((byte)0x82, 256 * 1024).ToArray();
        Should.Throw<HpackException>(() => new HpackDecoder(512 * 1024).Decode(bomb, [])).Message.ShouldContain("more than");
    }

    [Fact]
    public void A_bomb_of_Huffman_codes_is_refused()
    {
        byte[] text = [.. Enumerable.Repeat((byte)'0', 800_000)]; // five bits each: 500 kB on the wire
        var coded = Fakes.Huffman.Encode(text);
        var block = new List<byte> { 0x00, 1, (byte)'n' };
        Fakes.Hpack.AddInteger(block, 0x80, 7, coded.Length);
        block.AddRange(coded);
        Should.Throw<HpackException>(() => new HpackDecoder(512 * 1024).Decode([.. block], [])).Message.ShouldContain("more than");
    }

    private static List<HeaderField> Decode(HpackDecoder decoder, string block)
    {
        var fields = new List<HeaderField>();
        decoder.Decode(Convert.FromHexString(block), fields);
        return fields;
    }
}
