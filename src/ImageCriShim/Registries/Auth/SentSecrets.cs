using System.Text;
using System.Text.RegularExpressions;

namespace ImageCriShim.Registries.Auth;

/// <summary>
/// The secrets that went along with a question, to be found again in what is said about it: as they are, and as they stand in a header, a
/// URL, JSON or a program's quotes. Has no text form.
/// </summary>
internal sealed partial class SentSecrets
{
    public const string Mask = "***";

    private const int LeastBase64 = 4; // what is shorter is in every text that is encoded, by chance

    public static readonly SentSecrets None = new([]);

    private readonly Lazy<Regex[]> _plain; // most calls do not fail
    private readonly Lazy<Regex[]> _encoded;
    private readonly Lazy<Regex[]> _within; // whatever else is in base64

    private SentSecrets(IReadOnlyCollection<(string Secret, bool IsAlone)> secrets)
    {
        var alone = secrets.Where(secret => secret.IsAlone).Select(secret => secret.Secret).ToList();
        _plain = new(() => [.. alone.Select(Pattern)]);
        _within = new(() => [.. alone.Where(secret => secret.Length >= LeastBase64).Select(Pattern)]);
        _encoded = new(() => [.. secrets.SelectMany(secret => Base64Forms(secret.Secret)).Distinct().Select(Pattern)]);
    }

    public static SentSecrets Of(params IEnumerable<Credential?> credentials)
    {
        var secrets = credentials.OfType<Credential>().SelectMany(Of).Where(one => one.Secret.Length > 0).Distinct().ToList();
        return secrets.Count == 0 ? None : new(secrets.OrderByDescending(one => one.Secret.Length).ToList());
    }

    /// <summary>The text with a mask for each of them.</summary>
    public string HideIn(string text)
    {
        foreach (var pattern in _plain.Value)
            text = pattern.Replace(text, Mask);
        foreach (var pattern in _encoded.Value)
            text = HideWords(text, pattern);
        return _within.Value.Length == 0 ? text : Base64Word().Replace(text, word => IsHeldBy(word.Value) ? Mask : word.Value);
    }

    /// <summary>Encoded once more within: docker's headers are JSON in base64.</summary>
    private bool IsHeldBy(string base64)
    {
        const int group = 4; // wherever it begins
        base64 = base64.Replace('-', '+').Replace('_', '/');
        for (var begin = 0; begin < group; begin++)
        {
            var whole = (base64.Length - begin) % group is 1 ? base64[begin..^1] : base64[begin..];
            var octets = Convert.FromBase64String(whole.PadRight((whole.Length + group - 1) / group * group, '='));
            if (Array.Exists(_within.Value, pattern => pattern.IsMatch(Encoding.UTF8.GetString(octets))))
                return true;
        }

        return false;
    }

    private static IEnumerable<(string Secret, bool IsAlone)> Of(Credential credential) => credential switch
    {
        Credential.Password { Secret: "" } password => [(password.Username, true)], // some have a key for their name
        Credential.Password password => [(password.Secret, true), ($"{password.Username}:{password.Secret}", false)],
        Credential.IdentityToken token => [(token.Secret, true)],
        Credential.RegistryToken token => [(token.Secret, true)],
        _ => [],
    };

    /// <summary>In base64: alone, and inside of something else, at each of three places (a group of it is three octets).</summary>
    private static IEnumerable<string> Base64Forms(string secret)
    {
        const int leastInside = 8;
        var octets = Encoding.UTF8.GetBytes(secret);
        if (Convert.ToBase64String(octets).TrimEnd('=') is { Length: >= LeastBase64 } alone)
            yield return alone;
        for (var before = 0; before < 3; before++)
        {
            var encoded = Convert.ToBase64String([.. new byte[before], .. octets]);
            var (begin, end) = ((before * 8 + 5) / 6, (before + octets.Length) * 8 / 6); // what depends on nothing around it
            if (end - begin >= leastInside)
                yield return encoded[begin..end];
        }
    }

    private static Regex Pattern(string text)
    {
        var pattern = new StringBuilder();
        foreach (var character in text.EnumerateRunes())
            Append(pattern, character);
        return new Regex(pattern.ToString(), RegexOptions.CultureInvariant);
    }

    /// <summary>A character as it may be written: letters and digits as they are, all others also as URLs, JSON, Go or HTML escape them.</summary>
    private static void Append(StringBuilder pattern, Rune character)
    {
        if (Rune.IsLetterOrDigit(character) && character.IsAscii)
        {
            pattern.Append((char)character.Value);
            return;
        }

        var literals = character.Value switch // the other alphabet of base64, and the form of an HTML form
        {
            '+' or '-' => "[+-]",
            '/' or '_' => "[/_]",
            ' ' => "[ +]",
            _ => Regex.Escape($"{character}"),
        };
        var quoted = character.Value == '\\' ? @"\\+" : @"\\*" + literals;
        pattern.Append($"(?:{quoted}|{Percent(character)}|{Unicode(character)}|{Html(character)})");
    }

    private static string Percent(Rune character)
    {
        Span<byte> octets = stackalloc byte[4];
        var text = new StringBuilder();
        foreach (var octet in octets[..character.EncodeToUtf8(octets)])
            text.Append("(?:%(?:25)*|\\\\+x)").Append(Hex($"{octet:X2}"));
        return text.ToString();
    }

    private static string Unicode(Rune character) => Short(character) +
        string.Concat($"{character}".Select(unit => $@"\\+u{Hex($"{(int)unit:X4}")}")) + $@"|\\+U{Hex($"{character.Value:X8}")}";

    /// <summary>The escape of one letter that JSON, C and Go have for some.</summary>
    private static string Short(Rune character)
    {
        const string controls = "\n\t\r\b\f\v\a", letters = "ntrbfva";
        return character.IsBmp && controls.IndexOf((char)character.Value) is var at and >= 0 ? $@"\\+{letters[at]}|" : "";
    }

    private static string Html(Rune character)
    {
        var name = character.Value switch { '&' => "|&amp;", '<' => "|&lt;", '>' => "|&gt;", '"' => "|&quot;", '\'' => "|&apos;", _ => "" };
        return $"&#0*{character.Value};|&#[xX]0*{Hex($"{character.Value:X}")};{name}";
    }

    /// <summary>Digits of either case.</summary>
    private static string Hex(string digits) =>
        string.Concat(digits.Select(digit => char.IsAsciiDigit(digit) ? $"{digit}" : $"[{digit}{char.ToLowerInvariant(digit)}]"));

    /// <summary>With all that stands around it without a gap: it is encoded together.</summary>
    private static string HideWords(string text, Regex pattern)
    {
        var (hidden, done) = (new StringBuilder(), 0);
        foreach (var match in pattern.Matches(text).Where(match => match.Length > 0))
        {
            var (begin, end) = (match.Index, match.Index + match.Length);
            if (begin < done)
                continue;
            while (begin > done && IsOfBase64(text[begin - 1]))
                begin--;
            while (end < text.Length && IsOfBase64(text[end]))
                end++;
            hidden.Append(text, done, begin - done).Append(Mask);
            done = end;
        }

        return done == 0 ? text : hidden.Append(text, done, text.Length - done).ToString();
    }

    private static bool IsOfBase64(char c) => char.IsAsciiLetterOrDigit(c) || c is '+' or '/' or '-' or '_' or '=' or '%';

    [GeneratedRegex("[A-Za-z0-9+/_-]{8,}")]
    private static partial Regex Base64Word();
}
