using System.Text;

namespace ImageCriShim.Installation;

/// <summary>
/// A text that is edited in place. It is taken octet by octet, so that whatever is not edited stays as it is, in any encoding and with any
/// line ends; what we look for and write is ASCII.
/// </summary>
internal sealed record TextEdit(string Path, FileState Before, string Text)
{
    public static TextEdit Read(NodeFiles files, string path)
    {
        var resolved = files.Resolve(path);
        var state = files.Read(resolved, NodeFiles.MaxTextBytes);
        return new TextEdit(resolved, state, TextOf(state.Content ?? []));
    }

    public static string TextOf(byte[] content) => Encoding.Latin1.GetString(content);

    public static byte[] BytesOf(string text) => Encoding.Latin1.GetBytes(text);

    /// <summary>With one more line at the end, which ends as the others do.</summary>
    public static string WithLine(string text, string line)
    {
        var end = text.Contains("\r\n", StringComparison.Ordinal) ? "\r\n" : "\n";
        var isWhole = text.Length == 0 || text.EndsWith('\n');
        return isWhole ? $"{text}{line.Replace("\n", end, StringComparison.Ordinal)}{end}" : $"{text}{end}{line.Replace("\n", end, StringComparison.Ordinal)}";
    }

    public FileChange ToChange(ChangeOf part) => new(Path, Before, Before.IsAbsent ? FileState.File(BytesOf(Text), FileState.Public) : Before.With(BytesOf(Text)), part);
}
