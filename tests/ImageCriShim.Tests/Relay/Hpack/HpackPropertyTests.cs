using System.Buffers;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using ImageCriShim.Relay.Hpack;
using ImageCriShim.Tests.Fakes;
using HpackDecoder = ImageCriShim.Relay.Hpack.HpackDecoder;
using Oracle = ImageCriShim.Tests.Fakes.HpackDecoder;

namespace ImageCriShim.Tests.Relay;

/// <summary>The relay's HPACK against the one of the fakes, which shares no line with it.</summary>
public sealed class HpackPropertyTests
{
    /// <param name="TableSize">-1: as before.</param>
    private sealed record Block(int TableSize, Header[] Fields);

    private static readonly Gen<string> s_text =
        Gen.Choose(0, 255).Select(octet => (char)octet).ArrayOf().Select(octets => new string(octets));

    // Few names and values, so that the encoder finds many in its table; some of any length.
    private static readonly Gen<Header> s_field =
        from name in Gen.Frequency(
            (6, Gen.Choose(0, 20).Select(i => $"x-{i}")),
            (3, Gen.Elements(":path", ":authority", "te", "content-type", "authorization", "user-agent")),
            (1, s_text))
        from value in Gen.Frequency(
            (6, Gen.Choose(0, 9).Select(i => $"value {i}")),
            (2, Gen.Choose(0, 300).Select(i => new string('v', i))),
            (2, s_text))
        select new Header(name, value);

    private static readonly Gen<Block> s_block =
        from size in Gen.Frequency((9, Gen.Constant(-1)), (1, Gen.Choose(0, 6000)))
        from fields in s_field.ArrayOf()
        select new Block(size, fields);

    [Fact]
    public void The_decoder_reads_what_an_indexing_encoder_writes_over_sizes_and_evictions() =>
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(150),
            Prop.ForAll(Arb.From(s_block.ArrayOf(120), Halves), (Action<Block[]>)RoundTrip));

    [Fact]
    public void A_table_that_evicts_for_long_is_trimmed_and_still_right()
    {
        var fields = Enumerable.Range(0, 20_000).Select(i => new Header($"x-{i % 700}", $"{i % 1300}"));
        RoundTrip([.. fields.Chunk(7).Select((chunk, i) => new Block(i % 400 == 399 ? 500 + i : -1, chunk))]);
    }

    [Fact]
    public void The_oracle_reads_what_the_encoder_writes() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(300), Prop.ForAll(Arb.From(s_field.ArrayOf()), fields =>
        {
            var block = new ArrayBufferWriter<byte>();
            HpackEncoder.WriteTableSizeZero(block);
            HpackEncoder.WriteIndexed(block, StaticTable.Status200);
            foreach (var field in fields)
                HpackEncoder.WriteLiteral(block, new HeaderField(Encoding.Latin1.GetBytes(field.Name), Encoding.Latin1.GetBytes(field.Value)));
            new Oracle().Decode(block.WrittenSpan).ShouldBe([(":status", "200"), .. fields]);
        }));

    [Fact]
    public void Long_literals_are_written_with_integers_of_several_octets()
    {
        foreach (var length in (int[])[0, 126, 127, 128, 254, 255, 16_510, 16_511, 70_000])
        {
            var block = new ArrayBufferWriter<byte>();
            HpackEncoder.WriteLiteral(block, "n", new string('v', length));
            new Oracle().Decode(block.WrittenSpan).ShouldBe([("n", new string('v', length))]);
        }
    }

    [Fact]
    public void A_secret_stays_one()
    {
        var block = new ArrayBufferWriter<byte>();
        HpackEncoder.WriteLiteral(block, new HeaderField("a"u8.ToArray(), "b"u8.ToArray(), NeverIndexed: true));
        block.WrittenSpan[0].ShouldBe((byte)0x10);
    }

    [Fact]
    public void Every_octet_and_every_pair_of_them_survives_Huffman_coding()
    {
        Span<byte> decoded = stackalloc byte[2];
        for (var first = 0; first < 256; first++)
        {
            HuffmanCode.Decode(Huffman.Encode([(byte)first]), decoded).ShouldBe(1);
            decoded[0].ShouldBe((byte)first);
            for (var second = 0; second < 256; second++)
            {
                HuffmanCode.Decode(Huffman.Encode([(byte)first, (byte)second]), decoded).ShouldBe(2);
                (decoded[0] == first && decoded[1] == second).ShouldBeTrue();
            }
        }
    }

    [Fact]
    public void Huffman_decoding_says_when_there_is_no_room()
    {
        HuffmanCode.Decode(Huffman.Encode("abc"u8), new byte[2]).ShouldBe(-1);
        HuffmanCode.Decode(Huffman.Encode("abc"u8), new byte[3]).ShouldBe(3);
        HuffmanCode.Decode([], []).ShouldBe(0);
    }

    [Fact]
    public void The_static_tables_of_both_are_the_same() =>
        Enumerable.Range(1, StaticTable.Count).Select(StaticTable.At)
            .Select(field => new Header(Encoding.ASCII.GetString(field.Name.Span), Encoding.ASCII.GetString(field.Value.Span)))
            .ShouldBe(Fakes.Hpack.StaticTable);

    private static void RoundTrip(Block[] blocks)
    {
        var encoder = new ResizingEncoder();
        var decoder = new HpackDecoder(int.MaxValue);
        decoder.RaiseTableSizeLimit(6000);
        var decoded = new List<HeaderField>();
        foreach (var block in blocks)
        {
            decoder.Decode(encoder.Encode(block), decoded);
            decoded.Select(field => new Header(Encoding.Latin1.GetString(field.Name.Span), Encoding.Latin1.GetString(field.Value.Span)))
                .ShouldBe(block.Fields);
        }
    }

    private static IEnumerable<Block[]> Halves(Block[] blocks)
    {
        if (blocks.Length > 1)
        {
            yield return blocks[..(blocks.Length / 2)];
            yield return blocks[(blocks.Length / 2)..];
            yield return blocks[1..];
            yield return blocks[..^1];
        }
    }

    /// <summary>As the fakes' indexing encoder, and it changes its table's size.</summary>
    private sealed class ResizingEncoder
    {
        private readonly HpackTable _table = new(4096);

        public byte[] Encode(Block block)
        {
            var octets = new List<byte>();
            if (block.TableSize >= 0)
            {
                Fakes.Hpack.AddInteger(octets, 0x20, 5, block.TableSize);
                _table.Resize(block.TableSize);
            }

            foreach (var field in block.Fields)
                Add(octets, field);
            return [.. octets];
        }

        private void Add(List<byte> octets, Header field)
        {
            var (index, whole) = _table.Find(field);
            if (whole)
            {
                Fakes.Hpack.AddInteger(octets, 0x80, 7, index);
                return;
            }

            var secret = field.Name is "authorization";
            Fakes.Hpack.AddInteger(octets, secret ? 0x10 : 0x40, secret ? 4 : 6, index);
            if (index == 0)
                Fakes.Hpack.AddString(octets, field.Name, huffman: field.Value.Length % 2 == 0);
            Fakes.Hpack.AddString(octets, field.Value, huffman: field.Value.Length % 3 != 0);
            if (!secret)
                _table.Add(field);
        }
    }
}
