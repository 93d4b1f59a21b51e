using System.Text;
using ImageCriShim.Registries.Auth;

namespace ImageCriShim.Registries;

/// <summary>
/// Text that somebody else wrote, made fit for a log and for <c>kubectl describe pod</c>: one line, printable, short, and without what
/// is or looks like a secret, because a registry may well repeat what it was sent.
/// </summary>
internal static class ForeignText
{
    private const int MaxLength = 200; // a line that is read, with others beside it
    private const int TokenLength = 20; // words of mixed letters and digits that are this long are no words
    private const int HexLength = 32;
    private const string Mask = "***";

    private static readonly string[] s_secretNames = ["token", "pass", "secret", "key", "sig", "auth", "cred"];

    public static string Clean(string text, Credential? credential)
    {
        var words = Printable(Without(text, credential)).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        for (var i = 0; i < words.Length; i++)
        {
            var follows = i > 0 && (Is(words[i - 1], "bearer") || Is(words[i - 1], "basic"));
            words[i] = follows && words[i].Length > 6 ? Mask : MaskTokens(WithoutQuery(words[i]));
        }
        var line = string.Join(' ', words);
        return line.Length > MaxLength ? line[..MaxLength] + "..." : line;
    }

    private static string Without(string text, Credential? credential) => credential switch
    {
        Credential.Password password => Hide(Hide(text, password.ToBasicParameter()), password.Secret),
        Credential.IdentityToken token => Hide(text, token.Secret),
        Credential.RegistryToken token => Hide(text, token.Secret),
        _ => text,
    };

    private static string Hide(string text, string secret) =>
        secret.Length == 0 ? text : text.Replace(secret, Mask, StringComparison.Ordinal);

    private static string Printable(string text) => string.Create(
        text.Length, text, static (line, original) =>
        {
            for (var i = 0; i < line.Length; i++)
            {
                var c = original[i];
                line[i] = char.IsLetterOrDigit(c) || char.IsPunctuation(c) || char.IsSymbol(c) ? c : ' ';
            }
        });

    /// <summary>Of a URL only what says where: queries are signed, and before an <c>@</c> stands a password.</summary>
    private static string WithoutQuery(string word)
    {
        var host = word.IndexOf("://", StringComparison.Ordinal) + 3;
        if (host < 3)
            return word;
        var end = word.AsSpan(host).IndexOfAny('?', '#') is var found and >= 0 ? host + found : word.Length;
        var user = word.AsSpan(host, end - host).LastIndexOf('@') + 1;
        return word[..host] + word[(host + user)..end];
    }

    private static string MaskTokens(string word)
    {
        var masked = new StringBuilder();
        for (var i = 0; i < word.Length;)
        {
            var start = i;
            while (i < word.Length && IsOfToken(word[i]))
                i++;
            var run = word[start..i];
            var isDigest = start > 0 && word[start - 1] == ':' && word[..start].Contains("sha", StringComparison.Ordinal);
            masked.Append(!isDigest && LooksLikeToken(run) ? Mask : WithoutValue(run));
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
        return equals > 0 && s_secretNames.Any(name => run.AsSpan(0, equals).Contains(name, StringComparison.OrdinalIgnoreCase))
            ? run[..(equals + 1)] + Mask
            : run;
    }

    private static bool IsOfToken(char c) => char.IsAsciiLetterOrDigit(c) || c is '+' or '/' or '_' or '=' or '.' or '~' or '-';

    private static bool Is(string word, string scheme) => word.Trim('"', '\'', ':', ',').Equals(scheme, StringComparison.OrdinalIgnoreCase);
}
