using System.Globalization;
using System.Text;

namespace ImageCriShim.Registries.Auth;

/// <summary>
/// Reads one character as JSON, C, Go or HTML escape it, in UTF-8. Percent escapes are not read here, because a percent sign may itself be
/// escaped any number of times.
/// </summary>
internal static class TextEscape
{
    /// <summary>The length of the longest escape that is read: two halves of a pair, and up to 20 backslashes between them.</summary>
    public const int LongestEscape = 31;

    public const int LongestCharacter = 4;

    private const int MostDigits = 10; // of a number in HTML, zeros in front included
    private const string Letters = "ntrbfva";
    private const string Controls = "\n\t\r\b\f\v\a";

    private static readonly (byte[] Name, byte Character)[] s_names =
    [
        ("&amp;"u8.ToArray(), (byte)'&'), ("&lt;"u8.ToArray(), (byte)'<'), ("&gt;"u8.ToArray(), (byte)'>'),
        ("&quot;"u8.ToArray(), (byte)'"'), ("&apos;"u8.ToArray(), (byte)'\''),
    ];

    /// <param name="text">What begins with the escape, if there is one.</param>
    /// <param name="character">Receives the character in UTF-8, or one byte of it (<c>\xC3</c>).</param>
    /// <param name="written">The length of that.</param>
    /// <returns>The length of the escape; 0 where there is none.</returns>
    public static int Read(ReadOnlySpan<byte> text, Span<byte> character, out int written)
    {
        written = 0;
        if (text.Length < 2)
            return 0;
        return text[0] switch
        {
            (byte)'\\' => ReadBackslash(text, character, out written),
            (byte)'&' when text[1] == '#' => ReadNumber(text, character, out written),
            (byte)'&' => ReadName(text, character, out written),
            _ => 0,
        };
    }

    /// <summary>The value of two hexadecimal digits.</summary>
    /// <returns>-1 where there are none.</returns>
    public static int ReadHexPair(ReadOnlySpan<byte> text) => text.Length >= 2 ? ReadHex(text[..2]) : -1;

    private static int ReadBackslash(ReadOnlySpan<byte> text, Span<byte> character, out int written)
    {
        written = 1;
        switch (text[1])
        {
            case (byte)'x':
                var value = ReadHexPair(text[2..]);
                character[0] = (byte)value;
                return value < 0 ? 0 : 4;
            case (byte)'u':
                return ReadUnits(text, character, out written);
            case (byte)'U':
                return text.Length >= 10 && ReadHex(text[2..10]) is var rune and >= 0 && Encode(rune, character, out written) ? 10 : 0;
            default:
                var letter = Letters.IndexOf((char)text[1]);
                character[0] = letter < 0 ? (byte)0 : (byte)Controls[letter];
                return letter < 0 ? 0 : 2;
        }
    }

    /// <summary><c>\u00e9</c>, or the two halves of a pair.</summary>
    private static int ReadUnits(ReadOnlySpan<byte> text, Span<byte> character, out int written)
    {
        written = 0;
        if (text.Length < 6 || ReadHex(text[2..6]) is not (var first and >= 0))
            return 0;
        if (!char.IsHighSurrogate((char)first))
            return Encode(first, character, out written) ? 6 : 0;
        var second = 6;
        while (second < text.Length && text[second] == '\\')
            second++;
        var end = second + 5;
        if (second == 6 || end > Math.Min(text.Length, LongestEscape) || text[second] != 'u')
            return 0;
        var low = Math.Max(0, ReadHex(text[(second + 1)..end]));
        return char.IsLowSurrogate((char)low) && Encode(char.ConvertToUtf32((char)first, (char)low), character, out written) ? end : 0;
    }

    /// <summary><c>&amp;#43;</c> or <c>&amp;#x2B;</c></summary>
    private static int ReadNumber(ReadOnlySpan<byte> text, Span<byte> character, out int written)
    {
        written = 0;
        var isHex = text.Length > 2 && text[2] is (byte)'x' or (byte)'X';
        var begin = isHex ? 3 : 2;
        var digits = begin >= text.Length ? -1 : text[begin..].IndexOf((byte)';');
        if (digits is < 1 or > MostDigits)
            return 0;
        var number = text.Slice(begin, digits);
        var value = isHex ? ReadHex(number) : ReadDecimal(number);
        return value >= 0 && Encode(value, character, out written) ? begin + digits + 1 : 0;
    }

    private static int ReadName(ReadOnlySpan<byte> text, Span<byte> character, out int written)
    {
        written = 1;
        foreach (var (name, meant) in s_names)
        {
            if (!text.StartsWith(name))
                continue;
            character[0] = meant;
            return name.Length;
        }

        return 0;
    }

    private static int ReadHex(ReadOnlySpan<byte> digits) => ReadNumber(digits, NumberStyles.AllowHexSpecifier);

    private static int ReadDecimal(ReadOnlySpan<byte> digits) => ReadNumber(digits, NumberStyles.None);

    private static int ReadNumber(ReadOnlySpan<byte> digits, NumberStyles style) =>
        long.TryParse(digits, style, CultureInfo.InvariantCulture, out var value) && value is >= 0 and <= 0x10FFFF ? (int)value : -1;

    private static bool Encode(int value, Span<byte> character, out int written)
    {
        written = 0;
        return Rune.IsValid(value) && new Rune(value).TryEncodeToUtf8(character, out written);
    }
}
