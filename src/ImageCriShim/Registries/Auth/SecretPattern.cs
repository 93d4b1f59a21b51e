using System.Text;

namespace ImageCriShim.Registries.Auth;

/// <summary>Finds a secret in a text, each of its characters as it is or as URLs, JSON, C, Go and HTML escape it.</summary>
internal sealed class SecretPattern
{
    /// <summary>Longer than the tokens of registries. A longer secret is found by its beginning.</summary>
    public const int MaxBytes = 4096;

    private const int Bits = 64;
    private const int ShortBytes = 4; // fewer are in every text

    private readonly ulong[]?[] _places = new ulong[256][]; // for each byte, where the secret has it
    private readonly int _length;

    /// <param name="text">The secret.</param>
    /// <param name="isHex">Whether its letters may be in either case.</param>
    public SecretPattern(string text, bool isHex = false)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        IsCut = bytes.Length > MaxBytes;
        _length = Math.Min(bytes.Length, MaxBytes);
        while (IsCut && (bytes[_length] & 0xC0) == 0x80)
            _length--; // not within a character
        Words = (_length + Bits - 1) / Bits;
        LastWord = Words - 1;
        LastBit = 1ul << ((_length - 1) % Bits);
        for (var at = 0; at < _length; at++)
        {
            foreach (var written in isHex ? [bytes[at], (byte)char.ToUpperInvariant((char)bytes[at])] : Spellings(bytes[at]))
                (_places[written] ??= new ulong[Words])[at / Bits] |= 1ul << (at % Bits);
        }
    }

    /// <summary>Whether it may stand in a text by chance.</summary>
    public bool IsShort => _length < ShortBytes;

    /// <summary>Whether only the beginning is looked for.</summary>
    public bool IsCut { get; }

    /// <summary>Of the bits of a state: one for each byte.</summary>
    public int Words { get; }

    public int LastWord { get; }

    public ulong LastBit { get; }

    /// <summary>
    /// Finds the next match that is to be hidden. A short secret counts only where no letter or digit is beside it: a mask in the middle
    /// of a word that everybody knows would tell it.
    /// </summary>
    /// <param name="begin">Where to begin, and where the match begins.</param>
    /// <param name="isSpared">Whether a match, given by its begin and end, is to be left as it is.</param>
    /// <param name="end">Where it ends.</param>
    public bool TryFind(ReadOnlySpan<byte> text, ref int begin, Func<int, int, bool> isSpared, out int end)
    {
        var from = begin;
        var scan = new PatternScan(this, text, from);
        for (; ; scan.Advance())
        {
            end = scan.At;
            if (scan.HasMatched)
            {
                var match = FindBegin(text, from, end);
                if ((!IsShort || StandsAlone(text, match, end)) && !isSpared(match, end))
                {
                    begin = match;
                    return true;
                }
            }

            if (scan.IsAtEnd)
                return false;
        }
    }

    /// <summary>Adds to a state what it becomes with one byte more.</summary>
    public void Step(ReadOnlySpan<ulong> state, byte next, Span<ulong> to)
    {
        if (_places[next] is not { } places)
            return;
        var carry = 1ul; // the secret may begin at any place
        for (var word = 0; word < places.Length; word++)
        {
            to[word] |= ((state[word] << 1) | carry) & places[word];
            carry = state[word] >> (Bits - 1);
        }
    }

    /// <summary>The other alphabet of base64, and the space of an HTML form.</summary>
    private static byte[] Spellings(byte one) => one switch
    {
        (byte)'+' or (byte)'-' => "+-"u8.ToArray(),
        (byte)'/' or (byte)'_' => "/_"u8.ToArray(),
        (byte)' ' => " +"u8.ToArray(),
        _ => [one],
    };

    private static bool StandsAlone(ReadOnlySpan<byte> text, int begin, int end) =>
        (begin == 0 || !char.IsAsciiLetterOrDigit((char)text[begin - 1]))
        && (end == text.Length || !char.IsAsciiLetterOrDigit((char)text[end]));

    /// <summary>Where the shortest match begins that ends at a place. No spelling is shorter than the secret.</summary>
    private int FindBegin(ReadOnlySpan<byte> text, int from, int end)
    {
        var length = _length;
        while (end - length > from && !IsMatchWithin(text, end - length, end))
            length *= 2;
        var (found, none) = (Math.Max(from, end - length), end - (length == _length ? _length - 1 : length / 2));
        while (none - found > 1)
        {
            var middle = found + ((none - found) / 2);
            if (IsMatchWithin(text, middle, end))
                found = middle;
            else
                none = middle;
        }

        return found;
    }

    private bool IsMatchWithin(ReadOnlySpan<byte> text, int begin, int end)
    {
        var scan = new PatternScan(this, text, begin);
        while (scan.At < end)
            scan.Advance();
        return scan.HasMatched;
    }
}
