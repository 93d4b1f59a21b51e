using YamlDotNet.RepresentationModel;

namespace ImageCriShim.Configuration;

/// <summary>
/// The keys whose values are secrets. Where the space behind a colon is missing, YAML takes such a key and its value for one word, which
/// may then stand anywhere.
/// </summary>
internal static class SecretKeys
{
    private const int LongestKey = 40; // the longest of ours has 20 letters

    private static readonly string[] s_all = ["auth", "password", "identityToken", "registryToken"];

    public static bool Has(string key) => s_all.Contains(key, StringComparer.OrdinalIgnoreCase);

    /// <summary>Of a key that nobody knows what comes before a colon, if it looks like a key; empty otherwise.</summary>
    public static string Show(string unknown)
    {
        var word = unknown.Split(':')[0];
        return word.Length is > 0 and <= LongestKey && char.IsAsciiLetter(word[0]) && word.All(IsOfKey) ? word : "";
    }

    /// <summary>The key of a secret that has become a part of another key's value: the end of a line, or the line below it.</summary>
    /// <returns>Null if there is none.</returns>
    public static string? FindWithin(string value) => Array.Find(s_all, key =>
    {
        for (var at = -1; (at = value.IndexOf($"{key}:", at + 1, StringComparison.OrdinalIgnoreCase)) >= 0;)
        {
            if (at == 0 || char.IsWhiteSpace(value[at - 1]))
                return true;
        }

        return false;
    });

    /// <summary>Whether a file holds a secret, be it by mistake.</summary>
    public static bool AreIn(YamlMap file)
    {
        var seen = new HashSet<YamlNode>(ReferenceEqualityComparer.Instance); // with an alias a list may hold itself, or be in many places
        return file.Written.Any(entry => IsSecret(entry.Key, entry.Value, seen));
    }

    private static bool IsOfKey(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.';

    private static string TextOf(YamlNode node) => (node as YamlScalarNode)?.Value ?? "";

    private static bool IsSecret(string key, YamlNode value, HashSet<YamlNode> seen) => FindWithin(key) is not null || value switch
    {
        YamlScalarNode scalar => (Has(key) && !string.IsNullOrWhiteSpace(scalar.Value)) || FindWithin(scalar.Value ?? "") is not null,
        YamlMappingNode map => seen.Add(map) && map.Children.Any(entry => IsSecret(TextOf(entry.Key), entry.Value, seen)),
        YamlSequenceNode list => seen.Add(list) && list.Children.Any(entry => IsSecret("", entry, seen)),
        _ => false,
    };
}
