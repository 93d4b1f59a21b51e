using System.Text.RegularExpressions;

namespace ImageCriShim.Installation;

/// <summary>
/// A variable that comes behind the runtime's flag in a unit's command, such as KUBELET_EXTRA_ARGS in kubeadm's: a flag that is added to it wins,
/// and no copy of the command is needed, which would grow stale.
/// </summary>
/// <param name="place">The file that sets it, or is to set it.</param>
internal sealed partial class LastVariable(string name, TextEdit place)
{
    private const string ExtraArguments = "KUBELET_EXTRA_ARGS";

    /// <returns>Null where there is none that can be added to.</returns>
    /// <param name="sources">The unit, its drop-ins and its files of variables, in the order in which they win.</param>
    /// <param name="variableFiles">Those for the operator that the unit reads, whether they are there or not.</param>
    public static LastVariable? Find(NodeFiles files, IReadOnlyList<TextEdit> sources, IEnumerable<string> variableFiles)
    {
        var command = sources.SelectMany(file => Command().Matches(file.Text)).LastOrDefault()?.Value ?? "";
        var lastFlag = command.LastIndexOf("-endpoint", StringComparison.Ordinal);
        if (Word().Matches(command).LastOrDefault() is not { } word || lastFlag > word.Index)
            return null;
        var name = word.Groups["name"].Value;
        var inForce = sources.LastOrDefault(file => !SystemdUnits.IsUnit(file.Path) && VariableText.Find(file.Text, name) is not null);
        if (inForce is not null)
            return new LastVariable(name, inForce);
        if (sources.Any(file => SystemdUnits.IsUnit(file.Path) && Environment(name).IsMatch(file.Text)))
            return null; // a file of variables would win over what the unit says
        return name == ExtraArguments && variableFiles.FirstOrDefault(path => files.HasDirectory(Path.GetDirectoryName(path)!)) is { } file
            ? new LastVariable(name, TextEdit.Read(files, file))
            : null;
    }

    /// <summary>Adds flags, but where the variable has such ones already, which are changed where they stand.</summary>
    /// <param name="edits">Of which one may be of the same file.</param>
    public IEnumerable<TextEdit> AddTo(IReadOnlyList<TextEdit> edits, IReadOnlyList<string> flags)
    {
        var edited = edits.FirstOrDefault(edit => edit.Path == place.Path) ?? place;
        var value = VariableText.Find(edited.Text, name) ?? "";
        var missing = flags.Where(flag => !FlagText.Has(value, flag[2..flag.IndexOf('=', StringComparison.Ordinal)])).ToList();
        return edits.Where(edit => edit.Path != place.Path)
            .Append(missing.Count == 0 ? edited : edited with { Text = VariableText.Append(edited.Text, name, string.Join(' ', missing)) });
    }

    private static Regex Environment(string name) => new($"""^[ \t]*Environment=.*(?<![\w]){name}=""", RegexOptions.Multiline);

    // With the lines that it goes on in.
    [GeneratedRegex(@"^ExecStart=(?:[^\n\\]|\\\r?\n|\\.)*\S", RegexOptions.Multiline)]
    private static partial Regex Command();

    // As a word of its own, which systemd splits into arguments; ${NAME} is always one.
    [GeneratedRegex(@"(?<=\s)\$(?<name>\w+)(?!\S)")]
    private static partial Regex Word();
}
