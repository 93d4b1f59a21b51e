using System.Text;
using ImageCriShim.Configuration;

namespace ImageCriShim.Tests.Fuzzing;

/// <summary>Files of containerd and CRI-O: whatever is in them, they are read, or it is said on which line they cannot be.</summary>
public sealed class FuzzingToml : FuzzTarget
{
    protected override string Name => "toml";

    protected override IReadOnlyList<byte[]> Words { get; } = Texts(
        "[[", "]]", "[plugins.", "\"io.containerd.cri.v1.images\"", "'", "\"", "\"\"\"", "'''", "\\u00e9", "\\U0001F600", "\\", " = ", ".", ",", "{", "}", "#", "\n", "\r\n", "true", "1979-05-27", "a.b.c = 1");

    private protected override string Take(byte[] input)
    {
        var text = Encoding.UTF8.GetString(input);
        var lines = text.Count(c => c == '\n') + 1;
        var read = TomlParser.Parse(text, out var problem);
        if (read is null)
        {
            Holds(problem.StartsWith("line ", StringComparison.Ordinal) && int.Parse(problem[5..problem.IndexOf(':')]) <= lines, problem);
            return Template(problem);
        }

        Holds(problem.Length == 0, problem);
        return $"{Size(Walk(read, lines))}";
    }

    private static int Walk(TomlTable table, int lines)
    {
        var count = 0;
        foreach (var key in table.Keys)
        {
            Holds(table.LineOf(key) > 0 && table.LineOf(key) <= lines, "a line that is not there");
            count += 1 + (table.Table(key) is { } inner ? Walk(inner, lines) : 0) + table.Tables(key).Sum(one => Walk(one, lines)) + table.Texts(key).Count;
        }

        return count;
    }
}
