using System.Text;

namespace ImageCriShim.Registries.Auth;

/// <summary>
/// The secrets that went along with a question, to be found again in what is said about it: as they are, and as they stand in a header, a
/// URL, JSON or a program's quotes. Has no text form.
/// </summary>
internal sealed class SentSecrets
{
    public const string Mask = "***";

    private const int LeastBase64 = 4; // what is shorter is in every text that is encoded, by chance
    private const int LeastInside = 8; // of base64 or hex, where other things are encoded around it

    public static readonly SentSecrets None = new([]);

    private readonly Lazy<SecretPatterns> _patterns; // most calls do not fail

    private SentSecrets(IReadOnlyList<(string Secret, bool IsAlone)> secrets)
    {
        var alone = secrets.Where(secret => secret.IsAlone).Select(secret => secret.Secret).ToList();
        _patterns = new(() => new SecretPatterns(
            [.. alone.Select(secret => new SecretPattern(secret))],
            [
                .. secrets.SelectMany(secret => Base64Forms(secret.Secret)).Distinct().Select(form => new SecretPattern(form)),
                .. alone.Select(Hex).Where(form => form.Length >= LeastInside).Select(form => new SecretPattern(form, isHex: true)),
            ]));
    }

    public static SentSecrets Of(params IEnumerable<Credential?> credentials)
    {
        var secrets = credentials.OfType<Credential>().SelectMany(Of).Where(one => one.Secret.Length > 0).Distinct().ToList();
        return secrets.Count == 0 ? None : new(secrets);
    }

    /// <summary>The text with a mask for each of them.</summary>
    /// <param name="names">What the text may repeat of the question: it stays, also where a secret is the same.</param>
    public string HideIn(string text, EchoedNames names)
    {
        if (this == None)
            return text;
        var bytes = Encoding.UTF8.GetBytes(text);
        var hidden = _patterns.Value.FindIn(bytes, names.FindIn(bytes));
        if (hidden.Count == 0)
            return text;
        var (shown, done) = (new StringBuilder(), 0);
        foreach (var (begin, end) in hidden.OrderBy(range => range.Begin))
        {
            if (begin >= done)
                shown.Append(Encoding.UTF8.GetString(bytes, done, begin - done)).Append(Mask);
            done = Math.Max(done, end);
        }

        return shown.Append(Encoding.UTF8.GetString(bytes, done, bytes.Length - done)).ToString();
    }

    private static IEnumerable<(string Secret, bool IsAlone)> Of(Credential credential) => credential switch
    {
        Credential.Password { Secret: "" } password => [(password.Username, true)], // some have a key for their name
        Credential.Password password => [(password.Secret, true), ($"{password.Username}:{password.Secret}", false)],
        Credential.IdentityToken token => [(token.Secret, true)],
        Credential.RegistryToken token => [(token.Secret, true)],
        _ => [],
    };

    /// <summary>In base64: alone, and inside of something else, at each of three places (a group of it is three bytes).</summary>
    private static IEnumerable<string> Base64Forms(string secret)
    {
        var bytes = Beginning(secret);
        if (Convert.ToBase64String(bytes).TrimEnd('=') is { Length: >= LeastBase64 } alone)
            yield return alone;
        for (var before = 0; before < 3; before++)
        {
            var encoded = Convert.ToBase64String([.. new byte[before], .. bytes]);
            var (begin, end) = ((before * 8 + 5) / 6, (before + bytes.Length) * 8 / 6); // what depends on nothing around it
            if (end - begin >= LeastInside)
                yield return encoded[begin..end];
        }
    }

    private static string Hex(string secret) => Convert.ToHexStringLower(Beginning(secret));

    /// <summary>As much as a pattern looks for at most, and more than that where it is to be cut.</summary>
    private static byte[] Beginning(string secret)
    {
        var bytes = Encoding.UTF8.GetBytes(secret);
        return bytes.Length > SecretPattern.MaxBytes ? bytes[..(SecretPattern.MaxBytes + 2)] : bytes; // whole groups
    }
}
