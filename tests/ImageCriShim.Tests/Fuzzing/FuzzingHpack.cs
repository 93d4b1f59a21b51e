using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using ImageCriShim.Relay.Hpack;
using ImageCriShim.Tests.Fakes;
using HpackDecoder = ImageCriShim.Relay.Hpack.HpackDecoder;
using Oracle = ImageCriShim.Tests.Fakes.HpackDecoder;

namespace ImageCriShim.Tests.Fuzzing;

/// <summary>
/// Header blocks of one connection: an octet of bounds, then blocks, each behind two octets of length. What is decoded is what another decoder
/// reads, it is bounded, and encoding it gives it back.
/// </summary>
public sealed class FuzzingHpack : FuzzTarget
{
    protected override string Name => "hpack";

    protected override IReadOnlyList<byte[]> Words { get; } =
    [
        .. Texts(":path", ":authority", "grpc-timeout", "content-type", "application/grpc"),
        [0x82], [0x86], [0x84], [0xBE], [0xBF], [0x40], [0x00], [0x10], [0x1F], [0x0F], [0x7F], [0x20], [0x3F, 0xE1, 0x1F], [0x3F, 0xE1,
        0xFF, 0x03], [0xFF, 0x80, 0x80, 0x80, 0x08],
        [0x40, 1, (byte)'a', 1, (byte)'b'], [0x40, 0x82, 0x1F, 0xFF, 0x81, 0xFF], Literal("x-name", "value"), Literal(":path",
        "/runtime.v1.ImageService/PullImage"),
        [0x41, 0x8C, 0xF1, 0xE3, 0xC2, 0xE5, 0xF2, 0x3A, 0x6B, 0xA0, 0xAB, 0x90, 0xF4, 0xFF],
    ];

    private protected override string Take(byte[] input)
    {
        var (bounds, blocks) = (input.Length == 0 ? 0 : input[0], Blocks(input.AsSpan(Math.Min(1, input.Length))));
        var maxListSize = 64 << (bounds >> 4);
        var decoder = new HpackDecoder(maxListSize);
        decoder.RaiseTableSizeLimit((bounds & 15) << 10);
        var (oracle, encoder, ours) = (new Oracle(), new IndexingHpackEncoder(), new HpackDecoder(int.MaxValue));
        var (behaviour, fields) = (new StringBuilder(), new List<HeaderField>());
        foreach (var block in blocks)
        {
            if (Decode(decoder, block, fields) is { } refusal)
                return $"{behaviour}{refusal}";
            Holds(fields.Sum(field => field.Size) <= maxListSize, "larger than allowed");
            var expected = Headers(fields);
            Same(oracle.Decode(block), expected, "the other decoder");
            SurvivesLiterally(fields);
            ours.Decode(encoder.Encode(expected), fields);
            Same(Headers(fields), expected, "encoded and decoded");
            if (behaviour.Length < 40)
                behaviour.Append($"{Size(expected.Count)}{Kinds(block)} ");
        }

        return $"{behaviour}";
    }

    /// <returns>Why it was refused; null where it was not.</returns>
    private static string? Decode(HpackDecoder decoder, byte[] block, List<HeaderField> fields)
    {
        const int fixedBytes = 256 * 1024, bytesOfAnOctet = 512; // one octet may be an indexed field, of some words in a list that doubles
        var before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            decoder.Decode(block, fields);
            return null;
        }
        catch (HpackException e)
        {
            return Template(e.Message);
        }
        finally
        {
            Holds(GC.GetAllocatedBytesForCurrentThread() - before < fixedBytes + (long)bytesOfAnOctet * block.Length, "takes too much memory");
        }
    }

    private static void SurvivesLiterally(List<HeaderField> fields)
    {
        var block = new ArrayBufferWriter<byte>();
        foreach (var field in fields)
            HpackEncoder.WriteLiteral(block, field);
        var again = new List<HeaderField>();
        new HpackDecoder(int.MaxValue).Decode(block.WrittenSpan, again);
        Same(Headers(again), Headers(fields), "as literals");
        Holds(again.Select(field => field.NeverIndexed).SequenceEqual(fields.Select(field => field.NeverIndexed)), "a secret is none any more");
    }

    private static void Same(List<Header> one, List<Header> other, string what) => Holds(one.SequenceEqual(other), what);

    private static List<Header> Headers(List<HeaderField> fields) =>
        [.. fields.Select(field => new Header(Encoding.Latin1.GetString(field.Name.Span), Encoding.Latin1.GetString(field.Value.Span)))];

    // Of representations (RFC 7541 section 6), the first ones.
    private static string Kinds(byte[] block) => string.Concat(block.Take(3).Select(octet => octet switch
    {
        >= 0x80 => 'i',
        >= 0x40 => 'r',
        >= 0x20 => 's',
        >= 0x10 => 'n',
        _ => 'l',
    }));

    private static List<byte[]> Blocks(ReadOnlySpan<byte> rest)
    {
        const int most = 64;
        var blocks = new List<byte[]>();
        while (rest.Length >= sizeof(ushort) && blocks.Count < most)
        {
            var length = Math.Min(BinaryPrimitives.ReadUInt16BigEndian(rest), rest.Length - sizeof(ushort));
            blocks.Add(rest.Slice(sizeof(ushort), length).ToArray());
            rest = rest[(sizeof(ushort) + length)..];
        }

        return blocks;
    }

    private static byte[] Literal(string name, string value)
    {
        var block = new List<byte> { 0x40 };
        Hpack.AddString(block, name, huffman: true);
        Hpack.AddString(block, value);
        return [.. block];
    }
}
