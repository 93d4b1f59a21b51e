namespace ImageCriShim.Registries;

/// <summary>A value that cannot be used, as an error may quote it: what may be a secret under the wrong key is masked.</summary>
internal static class QuotedValue
{
    private const string Mask = "***";
    private const string AfterScheme = "://";

    /// <summary>The value without the user and the query of a URL, and without what follows a colon like a password.</summary>
    public static string Of(string value)
    {
        var query = value.AsSpan().IndexOfAny('?', '#');
        if (query >= 0)
            return Of(value[..query]) + value[query] + Mask;
        var scheme = value.IndexOf(AfterScheme, StringComparison.Ordinal);
        var (before, rest) = scheme < 0 ? ("", value) : (value[..(scheme + AfterScheme.Length)], value[(scheme + AfterScheme.Length)..]);
        var user = rest.LastIndexOf('@');
        if (user >= 0 && !rest.AsSpan(user + 1).StartsWith("sha", StringComparison.Ordinal)) // a digest
            (before, rest) = ($"{before}{Mask}@", rest[(user + 1)..]);
        return before + WithoutPassword(rest);
    }

    /// <summary><c>admin:***</c>, but the port of a host stays, and so does an IPv6 address.</summary>
    private static string WithoutPassword(string text)
    {
        var colon = text.IndexOf(':');
        if (colon < 0 || text.StartsWith('[') || text.AsSpan(0, colon).ContainsAny('@', '/'))
            return text;
        var end = text.IndexOf('/', colon);
        var port = end < 0 ? text[(colon + 1)..] : text[(colon + 1)..end];
        return port.All(char.IsAsciiDigit) ? text : text[..(colon + 1)] + Mask;
    }
}
