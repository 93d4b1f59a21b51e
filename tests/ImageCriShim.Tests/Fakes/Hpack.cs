using System.Text;

namespace ImageCriShim.Tests.Fakes;

/// <summary>A header field. Values are Latin-1 so that every byte survives.</summary>
public readonly record struct Header(string Name, string Value)
{
    public static implicit operator Header((string Name, string Value) pair) => new(pair.Name, pair.Value);

    public override string ToString() => $"{Name}: {Value}";
}

/// <summary>HPACK (RFC 7541) for tests: encoders as plain and as awkward as a test wants, and a complete decoder.</summary>
public static class Hpack
{
    /// <summary>RFC 7541 appendix A, by index from 1.</summary>
    public static readonly Header[] StaticTable =
    [
        (":authority", ""), (":method", "GET"), (":method", "POST"), (":path", "/"), (":path", "/index.html"), (":scheme", "http"),
        (":scheme", "https"), (":status", "200"), (":status", "204"), (":status", "206"), (":status", "304"), (":status", "400"),
        (":status", "404"), (":status", "500"), ("accept-charset", ""), ("accept-encoding", "gzip, deflate"), ("accept-language", ""),
        ("accept-ranges", ""), ("accept", ""), ("access-control-allow-origin", ""), ("age", ""), ("allow", ""), ("authorization", ""),
        ("cache-control", ""), ("content-disposition", ""), ("content-encoding", ""), ("content-language", ""), ("content-length", ""),
        ("content-location", ""), ("content-range", ""), ("content-type", ""), ("cookie", ""), ("date", ""), ("etag", ""), ("expect", ""),
        ("expires", ""), ("from", ""), ("host", ""), ("if-match", ""), ("if-modified-since", ""), ("if-none-match", ""), ("if-range", ""),
        ("if-unmodified-since", ""), ("last-modified", ""), ("link", ""), ("location", ""), ("max-forwards", ""),
        ("proxy-authenticate", ""),
        ("proxy-authorization", ""), ("range", ""), ("referer", ""), ("refresh", ""), ("retry-after", ""), ("server", ""),
        ("set-cookie", ""),
        ("strict-transport-security", ""), ("transfer-encoding", ""), ("user-agent", ""), ("vary", ""), ("via", ""),
        ("www-authenticate", ""),
    ];

    /// <summary>
    /// Every field as a literal without indexing and without Huffman: the same fields always give the same bytes, on any connection.
    /// </summary>
    public static byte[] Encode(params IEnumerable<Header> fields)
    {
        var block = new List<byte>();
        foreach (var field in fields)
        {
            block.Add(0x00);
            AddString(block, field.Name);
            AddString(block, field.Value);
        }

        return [.. block];
    }

    /// <summary>An integer with a prefix of <paramref name="bits"/> bits (RFC 7541 section 5.1).</summary>
    public static void AddInteger(List<byte> block, int first, int bits, int value)
    {
        var limit = (1 << bits) - 1;
        if (value < limit)
        {
            block.Add((byte)(first | value));
            return;
        }

        block.Add((byte)(first | limit));
        for (value -= limit; value >= 128; value >>= 7) block.Add((byte)(value & 0x7f | 0x80));
        block.Add((byte)value);
    }

    public static void AddString(List<byte> block, string text, bool huffman = false)
    {
        var bytes = Encoding.Latin1.GetBytes(text);
        if (huffman) bytes = Huffman.Encode(bytes);
        AddInteger(block, huffman ? 0x80 : 0, 7, bytes.Length);
        block.AddRange(bytes);
    }
}

/// <summary>
/// An encoder that uses all of HPACK as real callers do: the static table, incremental indexing (so that later blocks refer to earlier
/// ones), Huffman strings, never-indexed fields. One per connection.
/// </summary>
public sealed class IndexingHpackEncoder(int tableSize = 4096)
{
    private readonly HpackTable table = new(tableSize);

    public byte[] Encode(params IEnumerable<Header> fields)
    {
        var block = new List<byte>();
        foreach (var field in fields) Add(block, field);
        return [.. block];
    }

    private void Add(List<byte> block, Header field)
    {
        var (index, whole) = table.Find(field);
        if (whole)
        {
            Hpack.AddInteger(block, 0x80, 7, index);
            return;
        }

        var secret = field.Name is "authorization";
        Hpack.AddInteger(block, secret ? 0x10 : 0x40, secret ? 4 : 6, index);
        if (index == 0) Hpack.AddString(block, field.Name, huffman: true);
        Hpack.AddString(block, field.Value, huffman: true);
        if (!secret) table.Add(field);
    }
}

/// <summary>A decoder of everything in RFC 7541; one per direction of a connection, fed with each block in order.</summary>
public sealed class HpackDecoder(int tableSize = 4096)
{
    private readonly HpackTable table = new(tableSize);

    public List<Header> Decode(ReadOnlySpan<byte> block)
    {
        var fields = new List<Header>();
        while (block.Length > 0)
        {
            var first = block[0];
            if ((first & 0x80) != 0) fields.Add(table[ReadInteger(ref block, 7)]);
            else if ((first & 0x40) != 0)
            {
                var field = ReadLiteral(ref block, 6);
                table.Add(field);
                fields.Add(field);
            }
            else if ((first & 0x20) != 0) table.Resize(ReadInteger(ref block, 5));
            else fields.Add(ReadLiteral(ref block, 4));
        }

        return fields;
    }

    private Header ReadLiteral(ref ReadOnlySpan<byte> block, int bits)
    {
        var index = ReadInteger(ref block, bits);
        var name = index == 0 ? ReadString(ref block) : table[index].Name;
        return (name, ReadString(ref block));
    }

    private static string ReadString(ref ReadOnlySpan<byte> block)
    {
        var huffman = (block[0] & 0x80) != 0;
        var length = ReadInteger(ref block, 7);
        var bytes = block[..length];
        block = block[length..];
        return Encoding.Latin1.GetString(huffman ? Huffman.Decode(bytes) : bytes);
    }

    private static int ReadInteger(ref ReadOnlySpan<byte> block, int bits)
    {
        var limit = (1 << bits) - 1;
        var value = block[0] & limit;
        block = block[1..];
        if (value < limit) return value;
        for (var shift = 0; ; shift += 7)
        {
            var next = block[0];
            block = block[1..];
            value = checked(value + ((next & 0x7f) << shift));
            if ((next & 0x80) == 0) return value;
        }
    }
}

/// <summary>The static table followed by the dynamic one (RFC 7541 sections 2.3 and 4).</summary>
internal sealed class HpackTable(int limit)
{
    private readonly List<Header> newestFirst = [];
    private int limit = limit;
    private int size;

    public Header this[int index] =>
        index <= Hpack.StaticTable.Length ? Hpack.StaticTable[index - 1] : newestFirst[index - 1 - Hpack.StaticTable.Length];

    public void Add(Header field)
    {
        newestFirst.Insert(0, field);
        size += SizeOf(field);
        Evict();
    }

    public void Resize(int newLimit)
    {
        limit = newLimit;
        Evict();
    }

    /// <summary>The index of the field, or of a field with that name, or 0.</summary>
    public (int Index, bool Whole) Find(Header field)
    {
        var named = 0;
        for (var i = 1; i <= Hpack.StaticTable.Length + newestFirst.Count; i++)
        {
            if (this[i] == field) return (i, true);
            if (named == 0 && this[i].Name == field.Name) named = i;
        }

        return (named, false);
    }

    private void Evict()
    {
        while (size > limit)
        {
            size -= SizeOf(newestFirst[^1]);
            newestFirst.RemoveAt(newestFirst.Count - 1);
        }
    }

    private static int SizeOf(Header field) => field.Name.Length + field.Value.Length + 32;
}

/// <summary>
/// The Huffman code of RFC 7541 appendix B. It is canonical: the lengths alone, sorted by length and symbol, give the codes.
/// </summary>
internal static class Huffman
{
    private const int EndOfString = 256;

    private static readonly byte[] Lengths =
    [
        13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
        6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
        13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
        15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
        20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
        22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
        26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
        20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
        30,
    ];

    private static readonly uint[] Codes = new uint[Lengths.Length];
    private static readonly Dictionary<(int Length, uint Code), int> Symbols = [];

    static Huffman()
    {
        uint code = 0;
        var length = 0;
        foreach (var symbol in Enumerable.Range(0, Lengths.Length).OrderBy(symbol => Lengths[symbol]).ThenBy(symbol => symbol))
        {
            code <<= Lengths[symbol] - length;
            length = Lengths[symbol];
            Codes[symbol] = code;
            Symbols[(length, code)] = symbol;
            code++;
        }
    }

    public static byte[] Encode(ReadOnlySpan<byte> text)
    {
        var bytes = new List<byte>();
        ulong bits = 0;
        var count = 0;
        foreach (var symbol in text)
        {
            bits = bits << Lengths[symbol] | Codes[symbol];
            for (count += Lengths[symbol]; count >= 8; count -= 8) bytes.Add((byte)(bits >> (count - 8)));
        }

        if (count > 0) bytes.Add((byte)(bits << (8 - count) | 0xffu >> count));
        return [.. bytes];
    }

    public static byte[] Decode(ReadOnlySpan<byte> encoded)
    {
        var text = new List<byte>();
        uint code = 0;
        var length = 0;
        foreach (var octet in encoded)
        {
            for (var bit = 7; bit >= 0; bit--)
            {
                code = code << 1 | (uint)(octet >> bit & 1);
                length++;
                if (!Symbols.TryGetValue((length, code), out var symbol)) continue;
                if (symbol == EndOfString) throw new InvalidDataException("EOS inside a Huffman string");
                text.Add((byte)symbol);
                (code, length) = (0, 0);
            }
        }

        return [.. text];
    }
}
