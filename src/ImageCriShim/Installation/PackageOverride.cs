using System.Text.RegularExpressions;

namespace ImageCriShim.Installation;

/// <summary>
/// A flag in a unit that came with a package is not changed there, where the next version of the package would write over it, but in a
/// drop-in of our own. That holds a copy of the package's line; one mark tells when the package has another one, a second when the copy was edited.
/// </summary>
internal sealed partial class PackageOverride
{
    public const string Name = "90-image-cri-shim.conf";

    private const string NothingLeft = "# Nothing of a package's is to be changed any more (image-cri-shim).\n";
    private const int MarkLength = 12;

    private readonly TextEdit _dropIn;

    public PackageOverride(NodeFiles files, string unit) => _dropIn = TextEdit.Read(files, $"{SystemdUnits.Own}/{unit}.d/{Name}");

    /// <summary>Whether there is one, which says more than one variable.</summary>
    public bool IsCopy => Marks().IsMatch(_dropIn.Text) || Command().IsMatch(_dropIn.Text);

    public string Path => _dropIn.Path;

    /// <returns>Null where there is nothing to change in packages' units, nor in the drop-in.</returns>
    /// <param name="sources">The unit, its other drop-ins and whatever else has flags, in the order in which they win.</param>
    /// <param name="point">Changes the flags of a text.</param>
    /// <exception cref="InstallException">Both the package's line and the copy have changed.</exception>
    public TextEdit? Find(IReadOnlyList<TextEdit> sources, Func<string, string> point)
    {
        var lines = sources.Where(file => SystemdUnits.IsOfAPackage(file.Path))
            .SelectMany(file => Assignment().Matches(file.Text).Select(match => (File: file, Line: match.Value))).Where(found => point(found.Line) != found.Line).ToList();
        // The last command wins; what a later drop-in has replaced does not count.
        var command = sources.LastOrDefault(file => Command().IsMatch(file.Text));
        var wanted = lines.Where(found => !IsCommand(found.Line) || found.File == command).ToList();
        if (wanted.Count == 0)
            return IsCopy && !IsEdited ? _dropIn with { Text = NothingLeft } : null;
        var source = MarkOf(string.Concat(wanted.Select(found => $"{found.Line}\n")));
        if (Marks().Match(_dropIn.Text) is { Success: true } marks && marks.Groups["source"].Value == source)
            return _dropIn with { Text = point(_dropIn.Text) };
        if (IsCopy && IsEdited)
        {
            throw new InstallException($"{Path} was edited, and {wanted[^1].File.Path}, of which it holds a copy, has changed since; "
                + $"move what you added to a drop-in of your own, remove {Path}, and install again");
        }

        return _dropIn with { Text = Copy(wanted[^1].File.Path, source, wanted.Select(found => point(found.Line))) };
    }

    private static string Copy(string from, string source, IEnumerable<string> lines)
    {
        var body = $"[Service]\n{string.Concat(lines.Select(line => $"{(IsCommand(line) ? "ExecStart=\n" : "")}{line}\n"))}";
        return $"# A copy of what {from} says, with another socket. When that changes, image-cri-shim check says so.\n# marks: {source} {MarkOf(body)}\n{body}";
    }

    private static bool IsCommand(string line) => line.StartsWith("ExecStart", StringComparison.Ordinal);

    private bool IsEdited => Marks().Match(_dropIn.Text) is { Success: true } marks
        && MarkOf(_dropIn.Text[(marks.Index + marks.Length)..]) != marks.Groups["copy"].Value;

    private static string MarkOf(string text) => FileState.File(TextEdit.BytesOf(text), 0).Fingerprint[..MarkLength];

    // With the lines that it goes on in.
    [GeneratedRegex(@"^(?:ExecStart|Environment)=(?:[^\n\\]|\\\r?\n|\\.)*", RegexOptions.Multiline)]
    private static partial Regex Assignment();

    [GeneratedRegex(@"^ExecStart=[^\r\n]*\S", RegexOptions.Multiline)]
    private static partial Regex Command();

    [GeneratedRegex(@"^# marks: (?<source>[0-9a-f]+) (?<copy>[0-9a-f]+)\n", RegexOptions.Multiline)]
    private static partial Regex Marks();
}
