namespace ImageCriShim.Cri;

/// <summary>One field after the other, each with the octets it stands in.</summary>
internal ref struct ProtoReader(ReadOnlySpan<byte> message)
{
    private ReadOnlySpan<byte> _rest = message;

    internal int Number { get; private set; }

    internal int WireType { get; private set; }

    /// <summary>The payload of a length-delimited field; empty for others.</summary>
    internal ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>Tag and payload.</summary>
    internal ReadOnlySpan<byte> Whole { get; private set; }

    /// <returns>False at the end.</returns>
    /// <exception cref="MalformedMessageException"/>
    internal bool Next()
    {
        if (_rest.IsEmpty)
            return false;
        var begin = _rest;
        var tag = ReadVarint();
        if (tag > uint.MaxValue) // parsers differ in what is left of it
            throw new MalformedMessageException("a field number is too large");
        (Number, WireType) = ((int)(tag >> 3), (int)(tag & 7));
        Value = default;
        switch (WireType)
        {
            case 0:
                ReadVarint();
                break;
            case 1:
                Take(sizeof(ulong));
                break;
            case 2:
                Value = Take(ReadVarint());
                break;
            case 5:
                Take(sizeof(uint));
                break;
            default: // groups (3, 4) have not been in protobuf since CRI exists
                throw new MalformedMessageException($"wire type {WireType} in a message");
        }

        Whole = begin[..(begin.Length - _rest.Length)];
        return Number > 0 ? true : throw new MalformedMessageException("field number 0 in a message");
    }

    private ulong ReadVarint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var octet = Take(1)[0];
            value |= (ulong)(octet & 0x7F) << shift;
            if (octet < 0x80)
                return value;
        }

        throw new MalformedMessageException("a varint is longer than 10 octets");
    }

    private ReadOnlySpan<byte> Take(ulong octets)
    {
        if (octets > (ulong)_rest.Length)
            throw new MalformedMessageException("a message ends within a field");
        var taken = _rest[..(int)octets];
        _rest = _rest[(int)octets..];
        return taken;
    }
}
