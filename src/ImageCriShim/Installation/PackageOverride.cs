using System.Text.RegularExpressions;

namespace ImageCriShim.Installation;

/// <summary>
/// A flag in a unit that came with a package is not changed there, where the next version of the package would write over it, but in a
/// drop-in of our own.
/// </summary>
internal static partial class PackageOverride
{
    private const string Name = "90-image-cri-shim.conf";

    /// <returns>Null where there is nothing to change in packages' units.</returns>
    /// <param name="sources">The unit, its drop-ins and whatever else has flags, in the order in which they win.</param>
    /// <param name="files">Of the node.</param>
    /// <param name="unit">Its name.</param>
    /// <param name="point">Changes the flags of a text.</param>
    public static TextEdit? Find(IReadOnlyList<TextEdit> sources, NodeFiles files, string unit, Func<string, string> point)
    {
        var lines = sources.Where(file => SystemdUnits.IsOfAPackage(file.Path)).SelectMany(file => Assignment().Matches(file.Text).Select(match => (File: file, Line: match.Value)))
            .Where(found => point(found.Line) != found.Line).ToList();
        // The last command wins; what a later drop-in has replaced does not count.
        var command = sources.LastOrDefault(file => Command().IsMatch(file.Text));
        var wanted = lines.Where(found => !found.Line.StartsWith("ExecStart", StringComparison.Ordinal) || found.File == command).Select(found => point(found.Line)).ToList();
        if (wanted.Count == 0)
            return null;
        var dropIn = TextEdit.Read(files, $"{SystemdUnits.Own}/{unit}.d/{Name}");
        return dropIn with { Text = $"[Service]\n{string.Concat(wanted.Select(line => line.StartsWith("ExecStart", StringComparison.Ordinal) ? $"ExecStart=\n{line}\n" : $"{line}\n"))}" };
    }

    // With the lines that it goes on in.
    [GeneratedRegex(@"^(?:ExecStart|Environment)=(?:[^\n\\]|\\\r?\n|\\.)*", RegexOptions.Multiline)]
    private static partial Regex Assignment();

    [GeneratedRegex(@"^ExecStart=[^\r\n]*\S", RegexOptions.Multiline)]
    private static partial Regex Command();
}
