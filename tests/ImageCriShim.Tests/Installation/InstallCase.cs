using System.Text.RegularExpressions;
using ImageCriShim.Commands;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Installation;

/// <summary>
/// A node in a file of <c>golden/</c>. <c>### PATH</c> begins a file, or <c>### PATH -> TARGET</c> is a link; <c>### install [--cri PATH] [--address URL]</c>
/// begins what install says: its exit code, what it prints, and behind <c>!</c> its errors. <c>(CR)</c> is a carriage return and <c>(no newline)</c> ends a file without one.
/// Of units that are written as they are in packaging/ only that is said; of the config file only what differs.
/// </summary>
internal sealed partial class InstallCase
{
    private readonly List<(string Head, string Body)> _parts = [];

    public InstallCase(string name)
    {
        foreach (Match part in Part().Matches(File.ReadAllText(Path.Combine(Folder, $"{name}.txt"))))
            _parts.Add((part.Groups["head"].Value, part.Groups["body"].Value));
    }

    public static string Folder { get; } = Path.Combine(Repository.Root, "tests/ImageCriShim.Tests/Installation/golden");

    public static TheoryData<string> All => [.. Directory.GetFiles(Folder).Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal)];

    /// <summary>Of the cases in which there is something to install.</summary>
    public static TheoryData<string> ThatInstall => [.. from row in All let name = row.Data where new InstallCase(name).Expected.StartsWith("exit 0", StringComparison.Ordinal) select name];

    public string Expected => _parts[^1].Body;

    public InstalledNode MakeNode()
    {
        var node = new InstalledNode();
        foreach (var (head, body) in _parts.SkipLast(1))
        {
            if (head.Split(" -> ") is [var link, var target])
                node.Link(link, target);
            else
                node.Write(head, body == "(packaging)\n" ? Packaging(Path.GetFileName(head)) : Unescape(body));
        }

        return node;
    }

    public Outcome Install(InstalledNode node, InstallMode mode = InstallMode.Yes, Action<string>? beforeStep = null) =>
        node.Install(mode, Option("--cri"), Option("--address"), Option("--auth-file"), beforeStep);

    public static string Shorten(Outcome outcome)
    {
        var text = outcome.Output.Replace("\r", "(CR)", StringComparison.Ordinal);
        foreach (var unit in (string[])["image-cri-shim.service", "image-cri-shim.socket"])
            text = text.Replace(Added(Packaging(unit)), "+(packaging)\n", StringComparison.Ordinal);
        text = NewSettings().Replace(text, match => string.Concat(match.Value.Split('\n').Where(line => !line.StartsWith('+') || !IsInExample(line[1..])).Select(line => $"{line}\n")).TrimEnd('\n') + "\n");
        return $"exit {outcome.Code}\n{text}{string.Concat(outcome.Errors.Split('\n').Where(line => line.Length > 0).Select(line => $"! {line}\n"))}";
    }

    private static string Unescape(string body) => body.Replace("(CR)", "\r", StringComparison.Ordinal)
        .Replace("(no newline)\n", "", StringComparison.Ordinal).Replace("(program)", "\0", StringComparison.Ordinal);

    private static bool IsInExample(string line) => Packaging("image-cri-shim.yaml").Split('\n').Append("#    auth: ***").Contains(line);

    private static string Packaging(string file) => File.ReadAllText(Path.Combine(Repository.Root, "packaging", file));

    private static string Added(string text) => string.Concat(text.TrimEnd('\n').Split('\n').Select(line => $"+{line}\n"));

    private string? Option(string name) => _parts[^1].Head.Split(' ') is var words && Array.IndexOf(words, name) is > 0 and var at ? words[at + 1] : null;

    [GeneratedRegex(@"^### (?<head>[^\n]*)\n(?<body>(?:(?!### )[^\n]*\n)*)", RegexOptions.Multiline)]
    private static partial Regex Part();

    [GeneratedRegex(@"^\+\+\+ /etc/image-cri-shim\.yaml\n@@ [^\n]*\n(?:\+[^\n]*\n)*", RegexOptions.Multiline)]
    private static partial Regex NewSettings();
}
