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

    // From each node of the code's tree, where four more bits lead. No code is shorter than five bits, so they end one symbol at most.
    private static readonly Step[] s_steps = BuildSteps();

    /// <returns>The number of octets written, or -1 where they do not fit into <paramref name="into"/>.</returns>
    /// <exception cref="HpackException">The end-of-string symbol, or padding that is not up to 7 ones (RFC 7541 section 5.2).</exception>
    internal static int Decode(ReadOnlySpan<byte> coded, Span<byte> into)
    {
        var written = 0;
        var at = default(Step);
        foreach (var octet in coded)
        {
            for (var shift = 4; shift >= 0; shift -= 4)
            {
                at = s_steps[16 * at.Node + ((octet >> shift) & 0xF)];
                if (at.Symbol == Step.None)
                    continue;
                if (at.Symbol == EndOfString)
                    throw new HpackException("a Huffman string holds the end-of-string symbol");
                if (written == into.Length)
                    return -1;
                into[written++] = (byte)at.Symbol;
            }
        }

        if (coded.IsEmpty || at.EndsWell)
            return written;
        throw new HpackException("a Huffman string ends in wrong padding");
    }

    private static Step[] BuildSteps()
    {
        var tree = BuildTree();
        var steps = new Step[16 * (tree.Length / 2)];
        for (var i = 0; i < steps.Length; i++)
            steps[i] = Walk(tree, i / 16, i % 16);
        return steps;
    }

    private static Step Walk(short[] tree, int from, int fourBits)
    {
        var (node, symbol) = (from, Step.None);
        for (var bit = 3; bit >= 0 && symbol != EndOfString; bit--)
        {
            node = tree[2 * node + ((fourBits >> bit) & 1)];
            if (node < 0)
                (node, symbol) = (0, (short)~node);
        }

        return new Step((short)node, symbol, IsPadding(tree, node));
    }

    // The padding is the beginning of the end-of-string symbol, which is thirty ones.
    private static bool IsPadding(short[] tree, int node)
    {
        var padding = 0;
        for (var ones = 0; ones <= 7; ones++, padding = tree[2 * padding + 1])
        {
            if (padding == node)
                return true;
        }

        return false;
    }

    // A binary tree: children of node n at 2n and 2n+1; a leaf is ~symbol; the root is node 0.
    private static short[] BuildTree()
    {
        var tree = new short[2 * 256];
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

    /// <param name="Node">Of the tree, behind the bits.</param>
    /// <param name="Symbol">That ended among them.</param>
    /// <param name="EndsWell">The string may end here.</param>
    private readonly record struct Step(short Node, short Symbol, bool EndsWell)
    {
        internal const short None = -1;
    }
}
