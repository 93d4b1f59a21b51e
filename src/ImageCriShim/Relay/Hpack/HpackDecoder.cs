namespace ImageCriShim.Relay.Hpack;

/// <summary>Decodes the header blocks of one sender in their order (RFC 7541). Not thread-safe.</summary>
/// <param name="maxListSize">Octets of a decoded block, counted as SETTINGS_MAX_HEADER_LIST_SIZE counts (RFC 9113 section 6.5.2).</param>
internal sealed class HpackDecoder(int maxListSize)
{
    /// <summary>The size of a dynamic table before any SETTINGS (RFC 9113 section 6.5.2).</summary>
    internal const int DefaultTableSize = 4096;

    private const int RecentStrings = 8; // a power of two
    private const int RecentBytes = 128; // of each

    private readonly DynamicTable _table = new(DefaultTableSize);
    private readonly Recent[] _recent = new Recent[RecentStrings];
    private byte[] _scratch = new byte[512];

    /// <summary>
    /// What a table size update may go up to. The peer's encoder may still use an earlier, larger limit until it has seen our
    /// newest SETTINGS, so this only grows.
    /// </summary>
    internal int TableSizeLimit { get; private set; } = DefaultTableSize;

    internal void RaiseTableSizeLimit(int limit) => TableSizeLimit = Math.Max(TableSizeLimit, limit);

    /// <exception cref="HpackException">The block is malformed or larger than allowed; the decoder is of no use afterwards.</exception>
    internal void Decode(ReadOnlySpan<byte> block, List<HeaderField> into)
    {
        into.Clear();
        var size = 0;
        var reader = new HpackReader(block);
        while (!reader.AtEnd)
        {
            if ((reader.Peek & 0xE0) == 0x20)
            {
                UpdateTableSize(ref reader, into.Count);
                continue;
            }

            var field = ReadField(ref reader);
            size += field.Size;
            if (size > maxListSize)
                throw new HpackException($"a header block decodes to more than {maxListSize} octets");
            into.Add(field);
        }
    }

    private HeaderField ReadField(ref HpackReader reader) => reader.Peek switch
    {
        >= 0x80 => Lookup(reader.ReadInteger(7)),                         // section 6.1
        >= 0x40 => Remember(ReadLiteral(ref reader, 6, neverIndexed: false)), // section 6.2.1
        >= 0x10 => ReadLiteral(ref reader, 4, neverIndexed: true),        // section 6.2.3
        _ => ReadLiteral(ref reader, 4, neverIndexed: false),             // section 6.2.2
    };

    private HeaderField ReadLiteral(ref HpackReader reader, int prefixBits, bool neverIndexed)
    {
        var index = reader.ReadInteger(prefixBits);
        var name = index == 0 ? ReadString(ref reader) : Lookup(index).Name;
        return new HeaderField(name, ReadString(ref reader), neverIndexed);
    }

    private HeaderField Remember(HeaderField field)
    {
        _table.Add(field);
        return field;
    }

    private HeaderField Lookup(int index)
    {
        if (index == 0 || index > StaticTable.Count + _table.Count)
            throw new HpackException($"index {index} is not in the tables");
        return index <= StaticTable.Count ? StaticTable.At(index) : _table.At(index - StaticTable.Count - 1);
    }

    private void UpdateTableSize(ref HpackReader reader, int fieldsBefore)
    {
        var size = reader.ReadInteger(5);
        if (fieldsBefore > 0)
            throw new HpackException("a table size update stands behind a field (RFC 7541 section 4.2)");
        if (size > TableSizeLimit)
            throw new HpackException($"a table size update to {size} is above {TableSizeLimit}");
        _table.Resize(size);
    }

    private byte[] ReadString(ref HpackReader reader)
    {
        var coded = reader.ReadString(out var huffman);
        if (!huffman)
            return coded.ToArray();
        if (coded.Length > maxListSize)
            throw new HpackException($"a string of a header block is longer than {maxListSize} octets");
        if (coded.IsEmpty || coded.Length > RecentBytes)
            return Decode(coded);
        // The paths of a caller are few, and many encoders write them out with each call.
        ref var recent = ref _recent[(coded.Length ^ coded[^1]) & (RecentStrings - 1)];
        if (!coded.SequenceEqual(recent.Coded))
            recent = new Recent(coded.ToArray(), Decode(coded));
        return recent.Text;
    }

    private byte[] Decode(ReadOnlySpan<byte> coded)
    {
        int length;
        while ((length = HuffmanCode.Decode(coded, _scratch)) < 0)
            _scratch = new byte[_scratch.Length * 2]; // at most 8/5 of the coded length, which is bounded by the block
        return _scratch.AsSpan(0, length).ToArray();
    }

    private readonly record struct Recent(byte[] Coded, byte[] Text);
}
