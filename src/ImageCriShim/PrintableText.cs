using System.Text;

namespace ImageCriShim;

/// <summary>
/// Text that somebody else may have written, made fit for a terminal, journald and the events of a pod: one line, of characters that can be
/// seen and stand where they are written, of a bounded length. Whatever is shown of others comes through here.
/// </summary>
internal static class PrintableText
{
    /// <summary>What an event of Kubernetes holds.</summary>
    public const int MaxLength = 1024;

    private const string Cut = " ... ";

    // Letters, a mark and a symbol by their categories; nothing can be seen of them.
    private const string Blank = "\u115F\u1160\u3164\uFFA0\u2800";

    /// <summary>The text itself where there is nothing to change. Of one that is too long the end stays as well: there the cause stands.</summary>
    public static string Of(string text, int maxLength = MaxLength)
    {
        if (text.Length > maxLength)
            text = $"{text[..(maxLength / 2)]}{Cut}{text[^(maxLength / 2)..]}";
        return IsPlain(text) ? text : Wash(text);
    }

    /// <summary>Letters, digits, punctuation and symbols: no mark that joins another, and nothing that only tells how to show the rest.</summary>
    public static bool IsPrintable(Rune character) => character.Value is >= ' ' and <= '~'
        || ((Rune.IsLetter(character) || Rune.IsNumber(character) || Rune.IsPunctuation(character) || Rune.IsSymbol(character))
            && !(character.IsBmp && Blank.Contains((char)character.Value)));

    private static bool IsPlain(string text) => text.AsSpan().IndexOfAnyExceptInRange(' ', '~') < 0;

    private static string Wash(string text)
    {
        var washed = new StringBuilder(text.Length);
        foreach (var character in text.EnumerateRunes()) // half a pair comes as U+FFFD
        {
            if (IsPrintable(character))
                washed.Append(character);
            else
                washed.Append(' ');
        }

        return washed.ToString();
    }
}
