using System.Text.RegularExpressions;

namespace ImageCriShim.Registries;

/// <summary>What keys, flags, variables and parameters of secrets are called. All that hides secrets by their names asks here.</summary>
internal static partial class SecretNames
{
    // Anywhere in a name, whatever stands between its parts.
    private static readonly string[] s_within =
    [
        "token", "passw", "passphrase", "passcode", "secret", "credential", "apikey", "accesskey", "privatekey", "signature", "connectionstring",
    ];

    private static readonly string[] s_stems = ["token", "pass", "secret", "key", "sig", "auth", "cred"];

    // As one part of a name, since they are parts of other words (monkey, design, author).
    private static readonly string[] s_parts =
    [
        "pass", "pwd", "pw", "key", "keys", "sig", "auth", "auths", "authorization", "cred", "creds", "bearer", "jwt", "pin", "sas", "otp", "dsn",
    ];

    // What a name ends with that says where a secret is, or how it is used, and holds none.
    private static readonly string[] s_harmlessEnds =
    [
        "file", "files", "path", "dir", "directory", "config", "mode", "webhook", "ttl", "provider", "policy", "environment", "enabled", "timeout", "period", "type",
    ];

    /// <summary>Whether the value of what is called so is a secret: <c>--bootstrap-token</c>, <c>registryPassword</c>, <c>X-Amz-Signature</c>.</summary>
    public static bool Has(string name)
    {
        var parts = Part().Matches(name).Select(match => match.Value.ToLowerInvariant()).ToList();
        if (parts.Count == 0 || IsHarmless(parts[^1]))
            return false;
        var whole = string.Concat(parts);
        return s_within.Any(word => whole.Contains(word, StringComparison.Ordinal)) || parts.Exists(s_parts.Contains);
    }

    /// <summary>The same of a text in which hiding too much does no harm: whatever holds such a word.</summary>
    public static bool MayHave(string name) => Has(name) || s_stems.Any(word => name.Contains(word, StringComparison.OrdinalIgnoreCase));

    /// <summary>Also of <c>keyfile</c>, which is one word.</summary>
    private static bool IsHarmless(string last) => s_harmlessEnds.Contains(last) || last.EndsWith("file", StringComparison.Ordinal);

    [GeneratedRegex("[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")]
    private static partial Regex Part();
}
