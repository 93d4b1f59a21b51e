namespace ImageCriShim.Images;

/// <summary>
/// The terminals of distribution/reference's <c>regexp.go</c>, by hand: a regular expression would cost start-up time and
/// these run for every call that names an image.
/// </summary>
internal static class ReferenceGrammar
{
    /// <summary><c>[\w][\w.-]{0,127}</c></summary>
    public static bool IsTag(string text) =>
        text.Length is > 0 and <= 128 && IsWord(text[0]) && text.All(c => IsWord(c) || c is '.' or '-');

    /// <summary>The algorithms that opencontainers/go-digest registers, with the lengths it demands; lower-case hex only.</summary>
    public static bool IsDigest(string text)
    {
        var colon = text.IndexOf(':');
        if (colon < 0)
            return false;
        var length = text.AsSpan(0, colon) switch { "sha256" => 64, "sha384" => 96, "sha512" => 128, _ => -1 };
        return text.Length - colon - 1 == length && IsHex(text.AsSpan(colon + 1));
    }

    public static bool IsHex(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiHexDigitLower(c))
                return false;
        }
        return true;
    }

    /// <summary>
    /// <c>host [":" digits]</c> where the host is a DNS name, an IPv4 address or an IPv6 address in brackets. Zones and
    /// IPv4-mapped addresses are left out on purpose, as in the original.
    /// </summary>
    public static bool IsDomain(string text)
    {
        var end = text.StartsWith('[') ? text.IndexOf(']') + 1 : text.IndexOf(':');
        var host = end < 0 ? text : text[..end];
        var port = end < 0 ? "" : text[end..];
        if (port.Length > 0 && (port.Length == 1 || port[0] != ':' || !port.Skip(1).All(char.IsAsciiDigit)))
            return false;
        return host.StartsWith('[')
            ? host.Length > 2 && host[1..^1].All(c => char.IsAsciiHexDigit(c) || c == ':')
            : host.Split('.').All(IsDomainComponent);
    }

    /// <summary>One or more path components between slashes.</summary>
    public static bool IsRepository(string text) => text.Split('/').All(IsPathComponent);

    /// <summary><c>[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*</c></summary>
    private static bool IsPathComponent(string text)
    {
        for (var i = 0; i < text.Length;)
        {
            if (!IsLowerOrDigit(text[i]))
                return false;
            while (i < text.Length && IsLowerOrDigit(text[i]))
                i++;
            if (i == text.Length)
                return true;
            i += SeparatorLength(text.AsSpan(i));
        }
        return false; // empty, or it ended in a separator
    }

    private static int SeparatorLength(ReadOnlySpan<char> text) => text[0] switch
    {
        '-' => text.IndexOfAnyExcept('-') is var end and >= 0 ? end : text.Length,
        '_' when text.Length > 1 && text[1] == '_' => 2,
        '_' or '.' => 1,
        _ => 0, // no separator: the next round refuses the character
    };

    private static bool IsDomainComponent(string text) =>
        text.Length > 0 && text[0] != '-' && text[^1] != '-' && text.All(c => char.IsAsciiLetterOrDigit(c) || c == '-');

    private static bool IsWord(char c) => char.IsAsciiLetterOrDigit(c) || c == '_';

    private static bool IsLowerOrDigit(char c) => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c);
}
