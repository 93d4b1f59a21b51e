using System.Buffers;
using System.Text;

namespace ImageCriShim.Relay.Hpack;

/// <summary>
/// Writes fields as literals without indexing and without Huffman coding (RFC 7541 section 6.2.2): such a block changes no
/// table and can be put between the blocks of another encoder.
/// </summary>
internal static class HpackEncoder
{
    internal const byte TableSizeUpdateToZero = 0x20; // section 6.3

    internal static void WriteTableSizeZero(IBufferWriter<byte> into) => into.Write([TableSizeUpdateToZero]);

    internal static bool BeginsWithTableSize(ReadOnlySpan<byte> block) => !block.IsEmpty && (block[0] & 0xE0) == 0x20;

    /// <summary>Section 6.1; for entries of the static table, which no encoder changes.</summary>
    internal static void WriteIndexed(IBufferWriter<byte> into, int index) => WriteInteger(into, 0x80, 7, index);

    internal static void WriteLiteral(IBufferWriter<byte> into, HeaderField field)
    {
        into.Write([field.NeverIndexed ? (byte)0x10 : (byte)0x00]);
        WriteString(into, field.Name.Span);
        WriteString(into, field.Value.Span);
    }

    /// <param name="name">Lower case, as HTTP/2 demands (RFC 9113 section 8.2).</param>
    internal static void WriteLiteral(IBufferWriter<byte> into, string name, string value) =>
        WriteLiteral(into, new HeaderField(Encoding.Latin1.GetBytes(name), Encoding.Latin1.GetBytes(value)));

    private static void WriteString(IBufferWriter<byte> into, ReadOnlySpan<byte> text)
    {
        WriteInteger(into, 0, 7, text.Length);
        into.Write(text);
    }

    private static void WriteInteger(IBufferWriter<byte> into, byte pattern, int prefixBits, int value)
    {
        var mask = (1 << prefixBits) - 1;
        if (value < mask)
        {
            into.Write([(byte)(pattern | value)]);
            return;
        }

        into.Write([(byte)(pattern | mask)]);
        for (value -= mask; value >= 0x80; value >>= 7)
            into.Write([(byte)(value | 0x80)]);
        into.Write([(byte)value]);
    }
}
