namespace ImageCriShim.Tests.Layouts;

/// <summary>A unit with its drop-ins, as systemd reads them when it loads it (systemd.unit(5), systemd.syntax(7)).</summary>
internal sealed class LoadedUnit
{
    private static readonly string[] s_directories =
        ["/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];

    private readonly Dictionary<string, List<string>> _values = [];

    private LoadedUnit(string name, string path) => (Name, Path) = (name, path);

    public string Name { get; }

    public string Path { get; }

    public bool IsMasked { get; private init; }

    /// <returns>Null where there is no such unit.</returns>
    public static LoadedUnit? Load(NodeTree tree, string name)
    {
        var places = s_directories.Select(directory => $"{directory}/{name}");
        if (places.FirstOrDefault(path => tree.LinkOf(path) is not null || tree.Has(path)) is not { } found)
            return null;
        if (tree.LinkOf(found) == "/dev/null")
            return new LoadedUnit(name, found) { IsMasked = true };
        var unit = new LoadedUnit(name, found);
        foreach (var path in DropIns(tree, name).Prepend(found))
            unit.Add(tree.Read(path) ?? "");
        return unit;
    }

    /// <summary>The units that have such a link below <c>TARGET.wants</c>.</summary>
    public static IEnumerable<string> Wanted(NodeTree tree) =>
        s_directories.SelectMany(directory => (string[])[$"{directory}/multi-user.target.wants", $"{directory}/sockets.target.wants"])
            .SelectMany(wants => tree.List(wants, ".service", ".socket")).Distinct();

    public IReadOnlyList<string> Values(string key) => _values.GetValueOrDefault(key, []);

    /// <summary>What is run, with the variables as they are now: files of variables are read at each start.</summary>
    public (IReadOnlyList<string> Words, IReadOnlyDictionary<string, string> Variables) Command(NodeTree tree)
    {
        var variables = new Dictionary<string, string>();
        foreach (var word in Values("Environment").SelectMany(SystemdWords.Split).Where(word => word.Contains('=')))
            variables[word.Split('=', 2)[0]] = word.Split('=', 2)[1];
        foreach (var (name, value) in Values("EnvironmentFile").SelectMany(path => ReadVariables(tree, path)))
            variables[name] = value;
        if (Values("ExecStart") is not [var command])
            throw new NodeFailure($"{Name} has {Values("ExecStart").Count} commands, and does not start");
        return (SystemdWords.Expand(SystemdWords.Split(command.TrimStart('-', '@', '+', '!', ':')), variables), variables);
    }

    private static IEnumerable<string> DropIns(NodeTree tree, string name) =>
        from directory in s_directories
        from file in tree.List($"{directory}/{name}.d", ".conf")
        group $"{directory}/{name}.d/{file}" by file into sameName
        orderby sameName.Key
        select sameName.First();

    private static IReadOnlyDictionary<string, string> ReadVariables(NodeTree tree, string path) =>
        tree.Read(path.TrimStart('-')) is { } text ? new VariableFile().Read(text)
            : path.StartsWith('-') ? new Dictionary<string, string>()
            : throw new NodeFailure($"the unit does not start: {path} is missing");

    /// <summary>Adds a file's lines. A backslash joins them, comments in between do not count, an empty value empties a list.</summary>
    private void Add(string text)
    {
        var whole = "";
        foreach (var line in text.Split('\n').Where(line => line.TrimStart() is not ['#' or ';', ..]))
        {
            whole += line;
            if (whole.EndsWith('\\'))
                whole = whole[..^1] + " ";
            else
                Assign(whole);
            whole = line.EndsWith('\\') ? whole : "";
        }

        Assign(whole);
    }

    private void Assign(string line)
    {
        if (line.Split('=', 2) is not [var key, var value])
            return;
        var values = _values.TryGetValue(key.Trim(), out var known) ? known : _values[key.Trim()] = [];
        if (value.Trim().Length == 0)
            values.Clear();
        else
            values.Add(WithoutSpecifiers(value.Trim()));
    }

    private string WithoutSpecifiers(string value) => value
        .Replace("%N", System.IO.Path.GetFileNameWithoutExtension(Name), StringComparison.Ordinal)
        .Replace("%n", Name, StringComparison.Ordinal);
}
