using System.Text.RegularExpressions;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Layouts;

/// <summary>
/// A kind of node, as a file of <c>nodes/</c>. What stands before the first <c>###</c> says whose layout it is and what it is known from.
/// <c>### PATH</c> begins a file, and <c>### PATH -> TARGET</c> is a link. <c>### running: UNIT...</c> names what runs and is enabled,
/// <c>### runtime: SOCKET...</c> where runtimes listen that no unit of the layout starts, and <c>### install: OPTIONS</c> how it is
/// installed. <c>### event: NAME</c> begins a script of bash, which runs in the node's root directory and does to the node what its
/// operator, kubeadm or a package does: each on its own, and all of them one after the other.
/// </summary>
internal sealed partial class Layout
{
    private readonly List<(string Head, string Body)> _parts;

    private Layout(string name)
    {
        var text = File.ReadAllText(Path.Combine(Folder, $"{name}.txt"));
        _parts = [.. Part().Matches(text).Select(part => (part.Groups["head"].Value, part.Groups["body"].Value))];
    }

    public static TheoryData<string> All => [.. Names];

    /// <summary>Each layout with each of its events, and with all of them in turn.</summary>
    public static TheoryData<string, string> WithEvents
    {
        get
        {
            var rows = new TheoryData<string, string>();
            foreach (var (name, events) in Names.Select(name => (name, Read(name).Events.Keys.ToList())))
            {
                foreach (var what in events.Count > 1 ? events.Append(Everything) : events)
                    rows.Add(name, what);
            }

            return rows;
        }
    }

    public const string Everything = "all of them";

    public IEnumerable<string> Running => List("running: ");

    public IEnumerable<string> Runtimes => List("runtime: ");

    /// <summary>The options of install.</summary>
    public string[] Options => _parts.Find(part => part.Head.StartsWith("install: ", StringComparison.Ordinal)).Head?.Split(' ')[1..] ?? [];

    public IReadOnlyDictionary<string, string> Events => _parts.Where(part => part.Head.StartsWith("event: ", StringComparison.Ordinal))
        .ToDictionary(part => part.Head["event: ".Length..], part => part.Body);

    private static string Folder { get; } = Path.Combine(Repository.Root, "tests/ImageCriShim.Tests/Layouts/nodes");

    private static IEnumerable<string> Names =>
        Directory.GetFiles(Folder).Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal);

    public static Layout Read(string name) => new(name);

    public void WriteTo(Action<string, string> file, Action<string, string> link)
    {
        foreach (var (head, body) in _parts.Where(part => part.Head.StartsWith('/')))
        {
            if (head.Split(" -> ") is [var from, var to])
                link(from, to);
            else
                file(head, body.Replace("(no newline)\n", "", StringComparison.Ordinal));
        }
    }

    private IEnumerable<string> List(string head) =>
        _parts.Where(part => part.Head.StartsWith(head, StringComparison.Ordinal)).SelectMany(part => part.Head[head.Length..].Split(' '));

    [GeneratedRegex(@"^### (?<head>[^\n]*)\n(?<body>(?:(?!### )[^\n]*\n)*)", RegexOptions.Multiline)]
    private static partial Regex Part();
}
