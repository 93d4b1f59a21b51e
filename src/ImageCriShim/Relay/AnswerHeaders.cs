using System.Buffers;
using System.Globalization;
using System.Text;
using ImageCriShim.Relay.Hpack;

namespace ImageCriShim.Relay;

/// <summary>Header blocks of the runtime, each of which stands alone. What cannot be decoded is left as it is: it is the caller's to complain about.</summary>
internal static class AnswerHeaders
{
    private static volatile Known s_last = new([], []);
    private static volatile byte[] s_lastOk = [];

    /// <returns>The value of <c>grpc-encoding</c>; null where none of the blocks has it.</returns>
    internal static string? FindEncoding(IEnumerable<byte[]> blocks) => Find(blocks, "grpc-encoding"u8);

    /// <returns>The value of that field; null where none of the blocks has it.</returns>
    internal static string? Find(IEnumerable<byte[]> blocks, ReadOnlySpan<byte> name)
    {
        foreach (var block in blocks)
        {
            if (!TryDecode(block, out var fields))
                continue;
            foreach (var field in fields)
            {
                if (field.IsNamed(name))
                    return Encoding.Latin1.GetString(field.Value.Span);
            }
        }

        return null;
    }

    /// <param name="block">The last one of the runtime's answer.</param>
    /// <returns>UNKNOWN where it does not say.</returns>
    internal static GrpcCode FindCode(ReadOnlySpan<byte> block)
    {
        // A runtime says the same behind every answer that is none of an error.
        if (block.SequenceEqual(s_lastOk))
            return GrpcCode.Ok;
        var last = block.ToArray();
        if (!int.TryParse(Find([last], "grpc-status"u8), NumberStyles.None, CultureInfo.InvariantCulture, out var code))
            return GrpcCode.Unknown;
        if (code == (int)GrpcCode.Ok)
            s_lastOk = last;
        return (GrpcCode)code;
    }

    /// <summary>For a body of another length: <c>content-length</c> would make the answer malformed (RFC 9113 section 8.1.1).</summary>
    internal static byte[] WithoutLength(byte[] block)
    {
        // A runtime says the same in front of every answer.
        var last = s_last;
        if (last.Block.AsSpan().SequenceEqual(block))
            return last.Without;
        var without = DropLength(block);
        s_last = new Known(block, without);
        return without;
    }

    private static byte[] DropLength(byte[] block)
    {
        if (!TryDecode(block, out var fields) || fields.RemoveAll(field => field.IsNamed("content-length"u8)) == 0)
            return block;
        var written = new ArrayBufferWriter<byte>(block.Length);
        if (HpackEncoder.BeginsWithTableSize(block))
            HpackEncoder.WriteTableSizeZero(written);
        foreach (var field in fields)
            HpackEncoder.WriteLiteral(written, field);
        return written.WrittenSpan.ToArray();
    }

    private static bool TryDecode(byte[] block, out List<HeaderField> fields)
    {
        fields = [];
        try
        {
            new HpackDecoder(RelayLimits.HeaderListBytes).Decode(block, fields);
            return true;
        }
        catch (HpackException)
        {
            return false;
        }
    }

    /// <param name="Block">As it came.</param>
    /// <param name="Without">The same without a length.</param>
    private sealed record Known(byte[] Block, byte[] Without);
}
