namespace ImageCriShim.Relay.Hpack;

/// <summary>
/// RFC 7541 appendix B. The code is canonical: codes of one length are consecutive in the order of their symbols, so the
/// lengths alone define it.
/// </summary>
internal static class HuffmanCode
{
    private const int EndOfString = 256;

    private static ReadOnlySpan<byte> Lengths =>
    [
        13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
        28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
        6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
        5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
        13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
        7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
        15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
        6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
        20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
        24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
        22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
        21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
        26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
        19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
        20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
        26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
        30,
    ];

    // A binary tree: children of node n at 2n and 2n+1; a leaf is ~symbol; the root is node 0, so 0 as a child means none.
    private static readonly short[] s_tree = BuildTree();

    /// <returns>The number of octets written, or -1 where they do not fit into <paramref name="into"/>.</returns>
    /// <exception cref="HpackException">The end-of-string symbol, or padding that is not up to 7 ones (RFC 7541 section 5.2).</exception>
    internal static int Decode(ReadOnlySpan<byte> coded, Span<byte> into)
    {
        int written = 0, node = 0, bits = 0;
        var onlyOnes = true;
        foreach (var octet in coded)
        {
            for (var bit = 7; bit >= 0; bit--)
            {
                var one = (octet >> bit) & 1;
                onlyOnes &= one == 1;
                bits++;
                node = s_tree[2 * node + one];
                if (node >= 0)
                    continue;
                if (~node == EndOfString)
                    throw new HpackException("a Huffman string holds the end-of-string symbol");
                if (written == into.Length)
                    return -1;
                into[written++] = (byte)~node;
                (node, bits, onlyOnes) = (0, 0, true);
            }
        }

        if (bits > 7 || !onlyOnes)
            throw new HpackException("a Huffman string ends in wrong padding");
        return written;
    }

    private static short[] BuildTree()
    {
        var tree = new short[2 * 257];
        short nodes = 1;
        uint code = 0;
        var length = 0;
        foreach (var symbol in Enumerable.Range(0, Lengths.Length).OrderBy(s => Lengths[s]).ThenBy(s => s))
        {
            code <<= Lengths[symbol] - length;
            length = Lengths[symbol];
            Insert(tree, ref nodes, code++, length, symbol);
        }

        return tree;
    }

    private static void Insert(short[] tree, ref short nodes, uint code, int length, int symbol)
    {
        var node = 0;
        for (var bit = length - 1; bit > 0; bit--)
        {
            ref var child = ref tree[2 * node + (int)((code >> bit) & 1)];
            if (child == 0)
                child = nodes++;
            node = child;
        }

        tree[2 * node + (int)(code & 1)] = (short)~symbol;
    }
}
