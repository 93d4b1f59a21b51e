using System.Text;
using ImageCriShim.Registries.Auth;

namespace ImageCriShim.Registries;

/// <summary>
/// Text that a registry or a runtime wrote, made fit for a log and for <c>kubectl describe pod</c>: printable, short, and without what
/// is or looks like a secret, because either may well repeat what was sent.
/// </summary>
internal static class ForeignText
{
    private const int MaxLength = 200; // a line that is read, with others beside it
    private const int TokenLength = 20; // words of mixed letters and digits that are this long are no words
    private const int HexLength = 32;
    private const string Mask = SentSecrets.Mask;

    /// <summary>What a registry says.</summary>
    public static string Clean(string text, SentSecrets secrets, EchoedNames names)
    {
        var line = CleanAll(text, secrets, names);
        return line.Length > MaxLength ? line[..MaxLength] + "..." : line;
    }

    /// <summary>What a runtime says, which is longer: the cause comes last.</summary>
    /// <param name="text">Its words.</param>
    /// <param name="secrets">What it was sent.</param>
    /// <param name="names">What it was asked for, which may look like a token and is none.</param>
    public static string CleanOfRuntime(string text, SentSecrets secrets, EchoedNames names) =>
        PrintableText.Of(CleanAll(text, secrets, names));

    /// <summary>Whether something would be hidden in a text.</summary>
    public static bool HoldsSecret(string text, SentSecrets secrets, EchoedNames names) =>
        CleanAll(text, secrets, names) != string.Join(' ', Words(text));

    private static string CleanAll(string text, SentSecrets secrets, EchoedNames names)
    {
        var words = Words(secrets.HideIn(text, names));
        for (var i = 0; i < words.Length; i++)
        {
            var follows = i > 0 && (Is(words[i - 1], "bearer") || Is(words[i - 1], "basic"));
            words[i] = follows && words[i].Length > 6 ? Mask : MaskTokens(WithoutQuery(words[i]), names.Tag);
        }

        return string.Join(' ', words);
    }

    private static string[] Words(string text) => PrintableText.Of(text, int.MaxValue).Split(' ', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Of a URL only what says where: queries are signed, and before an <c>@</c> stands a password.</summary>
    private static string WithoutQuery(string word)
    {
        var scheme = word.IndexOf("://", StringComparison.Ordinal);
        if (scheme < 0)
            return word.IndexOf('?') is var sole and >= 0 && word.AsSpan(sole).Contains('=') ? word[..sole] + BehindUrl(word, sole) : word;
        var host = scheme + 3;
        var end = word.AsSpan(host).IndexOfAny('?', '#') is var found and >= 0 ? host + found : word.Length;
        var user = word.AsSpan(host, end - host).LastIndexOf('@') + 1;
        if (word.AsSpan(host + user).StartsWith("sha", StringComparison.Ordinal))
            user = 0; // a digest
        return word[..host] + word[(host + user)..end] + BehindUrl(word, end);
    }

    /// <summary>A URL often stands in quotes.</summary>
    private static string BehindUrl(string word, int end) =>
        word.AsSpan(end).IndexOfAny('"', '\'', '>') is var quote and >= 0 ? word[(end + quote)..] : "";

    private static string MaskTokens(string word, string tag)
    {
        var masked = new StringBuilder();
        var algorithm = word.IndexOf("sha", StringComparison.Ordinal);
        for (var i = 0; i < word.Length;)
        {
            var start = i;
            while (i < word.Length && IsOfToken(word[i]))
                i++;
            var run = word[start..i];
            var isDigest = algorithm >= 0 && algorithm + 3 < start && word[start - 1] == ':';
            var unknown = tag.Length == 0 ? run : run.Replace(tag, "", StringComparison.Ordinal);
            masked.Append(!isDigest && LooksLikeToken(unknown) ? Mask : WithoutValue(run));
            if (i < word.Length)
                masked.Append(word[i++]);
        }
        return masked.ToString();
    }

    private static bool LooksLikeToken(string run) =>
        run.StartsWith("eyJ", StringComparison.Ordinal) // a JSON object in base64: a JWT
        || (run.Length >= TokenLength && run.Any(char.IsAsciiDigit) && run.Any(char.IsAsciiLetterUpper) && run.Any(char.IsAsciiLetterLower))
        || (run.Length >= HexLength && run.All(char.IsAsciiHexDigit));

    /// <summary><c>access_token=abc</c></summary>
    private static string WithoutValue(string run)
    {
        var equals = run.IndexOf('=');
        return equals > 0 && SecretNames.MayHave(run[..equals])
            ? run[..(equals + 1)] + Mask
            : run;
    }

    private static bool IsOfToken(char c) => char.IsAsciiLetterOrDigit(c) || c is '+' or '/' or '_' or '=' or '.' or '~' or '-';

    private static bool Is(string word, string scheme) => word.Trim('"', '\'', ':', ',').Equals(scheme, StringComparison.OrdinalIgnoreCase);
}
