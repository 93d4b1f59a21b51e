using System.Buffers;

namespace ImageCriShim.Registries.Auth;

/// <summary>Finds secrets in a text, also where base64 holds them, or base64 within base64.</summary>
/// <param name="plain">The secrets.</param>
/// <param name="encoded">In base64 and hex: what stands around them without a gap is encoded together with them.</param>
internal sealed class SecretPatterns(SecretPattern[] plain, SecretPattern[] encoded)
{
    private const int LeastWord = 8; // of base64
    private const int Group = 4; // characters of base64: a word may begin at any place of one
    private const int BitsOfCharacter = 6;
    private const int BitsOfByte = 8;
    private const int MostDecodings = 2; // of one in another: docker's headers are JSON in base64 with base64 in it

    private static readonly SearchValues<byte> s_base64 =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"u8);
    private static readonly SearchValues<byte> s_ofEncoded =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=%"u8);

    /// <summary>Finds what is to be hidden of a text. The ranges may overlap.</summary>
    /// <param name="isSpared">Whether a match, given by its begin and end, is to be left as it is.</param>
    public List<(int Begin, int End)> FindIn(ReadOnlySpan<byte> text, Func<int, int, bool> isSpared)
    {
        var found = new List<(int Begin, int End)>();
        foreach (var pattern in plain)
            AddMatches(text, pattern, isSpared, found, isEncoded: false);
        foreach (var pattern in encoded)
            AddMatches(text, pattern, isSpared, found, isEncoded: true);
        for (var word = 0; NextWord(text, ref word, out var end); word = end)
        {
            if (IsHeldBy(text[word..end], Within(isSpared, word), MostDecodings))
                found.Add((word, end));
        }

        return found;
    }

    private static void AddMatches(
        ReadOnlySpan<byte> text, SecretPattern pattern, Func<int, int, bool> isSpared, List<(int Begin, int End)> found, bool isEncoded)
    {
        for (var begin = 0; pattern.TryFind(text, ref begin, isSpared, out var end); begin = end)
        {
            if (isEncoded)
            {
                begin = text[..begin].LastIndexOfAnyExcept(s_ofEncoded) + 1;
                end = text[end..].IndexOfAnyExcept(s_ofEncoded) is var length and >= 0 ? end + length : text.Length;
            }

            if (pattern.IsCut)
                end = text.Length; // the rest of the secret
            found.Add((begin, end));
        }
    }

    private bool IsHeldBy(ReadOnlySpan<byte> word, Func<int, int, bool> isSpared, int decodings)
    {
        for (var begin = 0; begin < Group && begin < word.Length; begin++)
        {
            var bytes = Decode(word[begin..]);
            if (IsIn(bytes, Decoded(isSpared, begin), decodings - 1))
                return true;
        }

        return false;
    }

    private bool IsIn(ReadOnlySpan<byte> text, Func<int, int, bool> isSpared, int decodings)
    {
        var begin = 0;
        foreach (var pattern in plain)
        {
            if (!pattern.IsShort && pattern.TryFind(text, ref begin, isSpared, out _))
                return true;
        }

        foreach (var pattern in encoded)
        {
            if (pattern.TryFind(text, ref begin, isSpared, out _))
                return true;
        }

        for (var word = 0; decodings > 0 && NextWord(text, ref word, out var end); word = end)
        {
            if (IsHeldBy(text[word..end], Within(isSpared, word), decodings))
                return true;
        }

        return false;
    }

    private static bool NextWord(ReadOnlySpan<byte> text, ref int begin, out int end)
    {
        for (end = begin; begin < text.Length; begin = end)
        {
            begin = text[begin..].IndexOfAny(s_base64) is var gap and >= 0 ? begin + gap : text.Length;
            end = text[begin..].IndexOfAnyExcept(s_base64) is var length and >= 0 ? begin + length : text.Length;
            if (end - begin >= LeastWord)
                return true;
        }

        return false;
    }

    private static Func<int, int, bool> Within(Func<int, int, bool> isSpared, int word) =>
        (begin, end) => isSpared(word + begin, word + end);

    /// <summary>The characters that hold bits of the decoded bytes.</summary>
    private static Func<int, int, bool> Decoded(Func<int, int, bool> isSpared, int word) => (begin, end) =>
        isSpared(word + (begin * BitsOfByte / BitsOfCharacter), word + (((end * BitsOfByte) + BitsOfCharacter - 1) / BitsOfCharacter));

    /// <summary>In either alphabet; what is over at the end is left out.</summary>
    private static byte[] Decode(ReadOnlySpan<byte> word)
    {
        var bytes = new byte[word.Length * BitsOfCharacter / BitsOfByte];
        var (bits, held, written) = (0u, 0, 0);
        foreach (var character in word)
        {
            bits = (bits << BitsOfCharacter) | ValueOf(character);
            held += BitsOfCharacter;
            if (held < BitsOfByte)
                continue;
            held -= BitsOfByte;
            bytes[written++] = (byte)(bits >> held);
        }

        return bytes;
    }

    private static uint ValueOf(byte character) => character switch
    {
        >= (byte)'A' and <= (byte)'Z' => (uint)character - 'A',
        >= (byte)'a' and <= (byte)'z' => (uint)character - 'a' + 26,
        >= (byte)'0' and <= (byte)'9' => (uint)character - '0' + 52,
        (byte)'+' or (byte)'-' => 62,
        _ => 63,
    };
}
