using System.Text.RegularExpressions;
using ImageCriShim.Configuration;

namespace ImageCriShim.Installation;

/// <summary>
/// Flags as they stand in a unit, a drop-in or a file of variables: <c>--flag=value</c> or <c>--flag value</c>, in quotes or not, over two
/// lines or on one. Lines that are comments do not count.
/// </summary>
internal static class FlagText
{
    /// <summary>The values of a flag, the last of which is in force.</summary>
    public static IEnumerable<string> Values(string text, string flag) => Matches(text, flag).Select(match => match.Groups[1].Value);

    /// <summary>The same, with the places where they stand.</summary>
    public static IEnumerable<ToldSocket> Sockets(TextEdit file, string flag) => Matches(file.Text, flag).Select(match => ToldSocket.At(file, match.Groups[1]));

    public static bool Has(string text, string flag) => Values(text, flag).Any();

    /// <summary>Points the flag at a socket wherever it stands, but where it is pointed there already.</summary>
    public static string Point(string text, string flag, string endpoint) => Pattern(flag).Replace(text, match =>
        IsComment(text, match.Index) || Endpoint.AreSame(match.Groups[1].Value, endpoint) ? match.Value : match.Value[..^match.Groups[1].Length] + endpoint);

    private static IEnumerable<Match> Matches(string text, string flag) => Pattern(flag).Matches(text).Where(match => !IsComment(text, match.Index));

    private static Regex Pattern(string flag) => new($"""(?<![\w-])--{flag}['"]?[=\s\\]+['"]?([^\s"'\\]+)""");

    /// <summary>Whether the line at that place is a comment.</summary>
    public static bool IsComment(string text, int index)
    {
        var line = text[(text.LastIndexOf('\n', index) + 1)..index].TrimStart();
        return line.StartsWith('#') || line.StartsWith(';');
    }
}
