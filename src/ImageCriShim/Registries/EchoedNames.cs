using System.Text;
using ImageCriShim.Registries.Auth;

namespace ImageCriShim.Registries;

/// <summary>
/// The names of an image that a text about it may repeat. Who asked for the image wrote them, so a secret is never hidden inside of them:
/// otherwise a name with a guess in it would tell whether the guess is right.
/// </summary>
internal sealed class EchoedNames
{
    private const int MaxTokens = 1024; // no name that can be pulled has more
    private const int Between = -1;

    public static readonly EchoedNames None = new();

    private readonly string[] _names;

    private EchoedNames(params string[] names) => _names = [.. names.Where(name => name.Length > 0).Distinct()];

    /// <summary>What stands behind the last colon of the first: it may look like a token and is none.</summary>
    public string Tag => _names is [var first, ..] ? first[(first.LastIndexOf(':') + 1)..] : "";

    /// <param name="names">As the image was asked for at a registry, and as the caller named it.</param>
    public static EchoedNames Of(params string[] names) => new(names);

    /// <summary>
    /// Finds where a text repeats names, or parts of them that begin and end with a path component, a tag or another whole word.
    /// </summary>
    /// <returns>Says of a place in the text, given by its begin and end, whether it lies inside of one such repetition.</returns>
    public Func<int, int, bool> FindIn(ReadOnlySpan<byte> text)
    {
        if (_names.Length == 0 || text.IsEmpty)
            return static (_, _) => false;
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        var known = new List<int>();
        foreach (var name in _names)
        {
            var tokens = Tokens(Encoding.UTF8.GetBytes(name)).Take(MaxTokens);
            known.AddRange([.. tokens.Select(token => Number(numbers, token.Text, isNew: true)), Between]);
        }

        var found = Tokens(text);
        var begins = FindRuns([.. found.Select(token => Number(numbers, token.Text, isNew: false))], known);
        var tokenAt = new int[text.Length];
        foreach (var (number, token) in found.Index())
            tokenAt.AsSpan(token.Begin, token.End - token.Begin).Fill(number);
        return (begin, end) => begins[tokenAt[end - 1]] is var run and >= 0 && found[run].Begin <= begin;
    }

    /// <summary>For each token the first one of the longest run that ends with it and is in a name as well.</summary>
    private static int[] FindRuns(int[] tokens, List<int> known)
    {
        var begins = new int[tokens.Length];
        var (lengths, before) = (new int[known.Count + 1], new int[known.Count + 1]); // of the runs that end at a token of the names
        for (var at = 0; at < tokens.Length; at++)
        {
            (lengths, before) = (before, lengths);
            var longest = 0;
            for (var other = 0; other < known.Count; other++)
            {
                lengths[other + 1] = tokens[at] != Between && tokens[at] == known[other] ? before[other] + 1 : 0;
                longest = Math.Max(longest, lengths[other + 1]);
            }

            begins[at] = longest == 0 ? -1 : at - longest + 1;
        }

        return begins;
    }

    private static int Number(Dictionary<string, int> numbers, string token, bool isNew)
    {
        if (!numbers.TryGetValue(token, out var number))
        {
            number = isNew ? numbers.Count : Between;
            if (isNew)
                numbers.Add(token, number);
        }

        return number;
    }

    /// <summary>Words, and whatever stands between them one by one, without escapes.</summary>
    private static List<Token> Tokens(ReadOnlySpan<byte> text)
    {
        var tokens = new List<Token>();
        var word = new StringBuilder();
        var begin = 0;
        for (var at = 0; at < text.Length;)
        {
            var length = ReadCharacter(text[at..], out var character);
            if (char.IsAsciiLetterOrDigit(character))
            {
                word.Append(character);
                at += length;
                continue;
            }

            AddWord(tokens, word, begin, at);
            tokens.Add(new Token($"{character}", at, begin = at += length));
        }

        AddWord(tokens, word, begin, text.Length);
        return tokens;
    }

    private static void AddWord(List<Token> tokens, StringBuilder word, int begin, int end)
    {
        if (word.Length > 0)
            tokens.Add(new Token($"{word}", begin, end));
        word.Clear();
    }

    private static int ReadCharacter(ReadOnlySpan<byte> text, out char character)
    {
        Span<byte> escaped = stackalloc byte[TextEscape.LongestCharacter];
        character = (char)text[0];
        if (character == '%')
            return ReadPercent(text, ref character);
        if (TextEscape.Read(text, escaped, out var written) is var length and > 0 && written == 1)
        {
            character = (char)escaped[0];
            return length;
        }

        if (character != '\\' || text.Length < 2 || text[1] != '/')
            return 1;
        character = '/'; // as PHP writes JSON
        return 2;
    }

    private static int ReadPercent(ReadOnlySpan<byte> text, ref char character)
    {
        var length = 1;
        while (TextEscape.ReadHexPair(text[length..]) is var value and >= 0)
        {
            length += 2;
            if (value == '%')
                continue;
            character = (char)value;
            break;
        }

        return length;
    }

    /// <param name="Text">Unescaped.</param>
    /// <param name="Begin">Where it begins in the text.</param>
    /// <param name="End">Where it ends there.</param>
    private readonly record struct Token(string Text, int Begin, int End);
}
