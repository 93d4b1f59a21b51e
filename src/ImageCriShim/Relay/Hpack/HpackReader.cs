namespace ImageCriShim.Relay.Hpack;

/// <summary>The primitive types of RFC 7541 section 5, read from one header block.</summary>
internal ref struct HpackReader(ReadOnlySpan<byte> block)
{
    private ReadOnlySpan<byte> _rest = block;

    internal readonly bool AtEnd => _rest.IsEmpty;

    internal readonly byte Peek => _rest[0];

    /// <summary>Section 5.1. Values above 2^28 are refused: no index, size or length here comes near.</summary>
    internal int ReadInteger(int prefixBits)
    {
        var mask = (1 << prefixBits) - 1;
        var value = Next() & mask;
        if (value < mask)
            return value;
        for (var shift = 0; shift <= 21; shift += 7)
        {
            var octet = Next();
            value += (octet & 0x7F) << shift;
            if (octet < 0x80)
                return value;
        }

        throw new HpackException("an integer is too large");
    }

    /// <summary>Section 5.2: the octets as they are on the wire.</summary>
    internal ReadOnlySpan<byte> ReadString(out bool huffman)
    {
        if (AtEnd)
            throw new HpackException("the header block ends within a field");
        huffman = (Peek & 0x80) != 0;
        var length = ReadInteger(7);
        if (length > _rest.Length)
            throw new HpackException("a string is longer than its header block");
        var text = _rest[..length];
        _rest = _rest[length..];
        return text;
    }

    private byte Next()
    {
        if (AtEnd)
            throw new HpackException("the header block ends within a field");
        var octet = _rest[0];
        _rest = _rest[1..];
        return octet;
    }
}
