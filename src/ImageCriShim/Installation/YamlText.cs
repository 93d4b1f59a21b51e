using System.Text;
using System.Text.RegularExpressions;
using ImageCriShim.Configuration;

namespace ImageCriShim.Installation;

/// <summary>Top-level keys of a file of YAML, edited in place: order, comments, quotes and line ends stay.</summary>
internal static class YamlText
{
    /// <returns>Null where the key is absent, empty or no text.</returns>
    /// <exception cref="InstallException">It is no YAML.</exception>
    public static string? Find(TextEdit file, string key) => Parse(file) is var map && map.IsBlank(key) ? null : map.Text(key, "a text");

    /// <summary>The same, with the place where it stands.</summary>
    public static ToldSocket? Socket(TextEdit file, string key) =>
        Find(file, key) is { } value ? ToldSocket.At(file, Regex.Match(file.Text, $"""^["']?{key}["']?[ \t]*:""", RegexOptions.Multiline)) with { Socket = value } : null;

    /// <summary>Whether the key stands there, even if empty.</summary>
    public static bool Has(TextEdit file, string key) => Parse(file).HasUnknown(key);

    /// <summary>Whether a list holds a text.</summary>
    public static bool HasEntry(TextEdit file, string key, string entry) =>
        Parse(file).List(key, "a list").Any(node => node is YamlDotNet.RepresentationModel.YamlScalarNode scalar && scalar.Value == entry);

    /// <summary>Points a key at a socket, but where it is pointed there already. It is added where it is absent.</summary>
    /// <exception cref="InstallException">It stands there in a way that we cannot edit.</exception>
    public static TextEdit Point(TextEdit file, string key, string endpoint)
    {
        if (Find(file, key) is { } old && Endpoint.AreSame(old, endpoint))
            return file;
        var line = new Regex(
            $"""^(?<key>["']?{key}["']?[ \t]*:)(?<space>[ \t]*)(?:"[^"\r\n]*"|'[^'\r\n]*'|[^\s#"'][^\r\n]*?)?(?=(?:[ \t]+\#[^\r\n]*|[ \t]*)\r?$)""",
            RegexOptions.Multiline);
        var edited = file with
        {
            Text = line.IsMatch(file.Text)
                ? line.Replace(file.Text, match => $"{match.Groups["key"]}{Space(match)}{Quoted(match.Value, endpoint)}", 1)
                : TextEdit.WithLine(file.Text, $"{key}: {endpoint}"),
        };
        // Looked at as who reads it will: no text is edited on trust.
        return Parses(edited) && Find(edited, key) == endpoint ? edited
            : throw new InstallException($"{file.Path}: {key} stands there in a way that is not edited here; write {key}: {endpoint} yourself, and install again");
    }

    public static bool Parses(TextEdit file) => YamlFile.Parse(Utf8Of(file), new ConfigReport(file.Path)) is not null;

    private static YamlMap Parse(TextEdit file)
    {
        var report = new ConfigReport(file.Path);
        var map = YamlFile.Parse(Utf8Of(file), report);
        return map is not null && report.Problems.Count == 0 ? map : throw new InstallException(report.Problems, InstallException.Failed);
    }

    private static string Utf8Of(TextEdit file) => Encoding.UTF8.GetString(TextEdit.BytesOf(file.Text));

    private static string Space(Match match) => match.Groups["space"].Length == 0 ? " " : match.Groups["space"].Value;

    private static string Quoted(string old, string value) => old[^1] is '"' or '\'' && !old.TrimEnd().EndsWith(':') ? $"{old[^1]}{value}{old[^1]}" : value;
}
