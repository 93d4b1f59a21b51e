using System.Buffers.Binary;

namespace ImageCriShim.Tests.Fuzzing;

/// <summary>Bends octets in every way that needs no knowledge of what they mean.</summary>
/// <param name="random">The same seed bends in the same way.</param>
/// <param name="words">What the format is made of, which chance alone would seldom hit.</param>
internal sealed class Mutator(Random random, IReadOnlyList<byte[]> words)
{
    private const int MaxBytes = 4096; // what is long is slow, and finds no more
    private const int MaxRepeated = 64 * 1024; // now and then one that is long or deep

    private static readonly byte[] s_odd = [0, 1, 0x0A, 0x20, 0x22, 0x2C, 0x3A, 0x5B, 0x5C, 0x7B, 0x7F, 0x80, 0xC0, 0xED, 0xFF];

    internal Random Random => random;

    /// <param name="input">What to begin with.</param>
    /// <param name="other">Another input, for parts.</param>
    internal byte[] Mutate(byte[] input, byte[] other)
    {
        for (var edits = 1 << random.Next(4); edits > 0; edits--)
            input = Edit(input, other);
        if (input.Length > MaxBytes)
            input = input[..MaxBytes];
        return random.Next(1000) == 0 ? Insert(input, Repeated(input)) : input;
    }

    internal byte[] Octets(int count)
    {
        var octets = new byte[count];
        random.NextBytes(octets);
        return octets;
    }

    /// <summary>One of them; nothing of none.</summary>
    internal byte[] AnyWord() => words.Count == 0 ? [] : words[random.Next(words.Count)];

    private byte[] Edit(byte[] input, byte[] other)
    {
        switch (random.Next(13))
        {
            case 0 or 1:
                return At(input, octet => (byte)(octet ^ 1 << random.Next(8)));
            case 2:
                return At(input, _ => (byte)random.Next(256));
            case 3:
                return At(input, _ => s_odd[random.Next(s_odd.Length)]);
            case 4:
                return Without(input, AnyRange(input));
            case 5:
                return Insert(input, input[AnyRange(input)]);
            case 6 or 7:
                return Insert(input, AnyWord());
            case 8:
                var word = AnyWord();
                return Insert(Without(input, AnyRange(input)), word);
            case 9:
                return [.. input[..random.Next(input.Length + 1)], .. other[random.Next(other.Length + 1)..]];
            case 10:
                return Insert(input, other[AnyRange(other)]);
            case 11:
                return WithOtherNumber(input);
            default:
                var (one, two) = (random.Next(input.Length + 1), random.Next(input.Length + 1));
                (one, two) = (Math.Min(one, two), Math.Max(one, two));
                return [.. input[..one], .. input[two..], .. input[one..two]];
        }
    }

    /// <summary>Something that may be a length, of one to four octets: a little off, or what follows it, or as large as can be.</summary>
    private byte[] WithOtherNumber(byte[] input)
    {
        var size = random.Next(1, 5);
        if (input.Length < size)
            return input;
        var (edited, at) = (input.ToArray(), random.Next(input.Length - size + 1));
        Span<byte> number = stackalloc byte[4];
        edited.AsSpan(at, size).CopyTo(number[(4 - size)..]);
        var value = BinaryPrimitives.ReadUInt32BigEndian(number);
        BinaryPrimitives.WriteUInt32BigEndian(number, random.Next(5) switch
        {
            0 => value + 1,
            1 => value - 1,
            2 => (uint)(input.Length - at - size),
            3 => uint.MaxValue >> random.Next(32),
            _ => value << 1,
        });
        number[(4 - size)..].CopyTo(edited.AsSpan(at));
        return edited;
    }

    private byte[] At(byte[] input, Func<byte, byte> change)
    {
        if (input.Length == 0)
            return input;
        var edited = input.ToArray();
        var at = random.Next(edited.Length);
        edited[at] = change(edited[at]);
        return edited;
    }

    private byte[] Insert(byte[] input, byte[] piece)
    {
        var at = random.Next(input.Length + 1);
        return [.. input[..at], .. piece, .. input[at..]];
    }

    private byte[] Repeated(byte[] input)
    {
        var piece = random.Next(2) == 0 ? AnyWord() : input[AnyRange(input)];
        return piece.Length == 0 ? piece : [.. Enumerable.Repeat(piece, random.Next(MaxRepeated / piece.Length + 1)).SelectMany(octets => octets)];
    }

    private static byte[] Without(byte[] input, Range range) => [.. input[..range.Start], .. input[range.End..]];

    // Short ones mostly: what is left then still looks like something.
    private Range AnyRange(byte[] input)
    {
        var start = random.Next(input.Length + 1);
        var longest = random.Next(4) == 0 ? input.Length - start : Math.Min(16, input.Length - start);
        return start..(start + random.Next(longest + 1));
    }
}
