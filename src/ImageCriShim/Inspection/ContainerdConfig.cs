using ImageCriShim.Configuration;

namespace ImageCriShim.Inspection;

/// <summary>
/// What of containerd's <c>config.toml</c> is about images: the tables have other names in each version of the file, and files that it imports
/// count more.
/// </summary>
internal sealed class ContainerdConfig
{
    private readonly NodeRoot _root;
    private readonly string _file;
    private readonly string _text;
    private readonly int _version;
    private readonly IReadOnlyList<TomlTable> _files; // what counts most comes first

    private ContainerdConfig(NodeRoot root, string file, string text, int version, IReadOnlyList<TomlTable> files) =>
        (_root, _file, _text, _version, _files) = (root, file, text, version, files);

    private string[] Plugin => _version switch
    {
        >= 3 => ["plugins", "io.containerd.cri.v1.images"],
        2 => ["plugins", "io.containerd.grpc.v1.cri"],
        _ => ["plugins", "cri"],
    };

    public string[] RegistryTable => [.. Plugin, "registry"];

    public string[] PauseTable => _version >= 3 ? [.. Plugin, "pinned_images"] : Plugin;

    public string PauseKey => _version >= 3 ? "sandbox" : "sandbox_image";

    /// <summary>Null where the file does not say.</summary>
    public string? PauseImage => Find(PauseTable, PauseKey);

    /// <summary><c>config_path</c>: directories with a colon between them.</summary>
    public string? HostsPath => Find(RegistryTable, "config_path");

    /// <param name="root">Of the node.</param>
    /// <param name="file">Its path there.</param>
    /// <param name="usual">The version of the file that this containerd writes.</param>
    public static ContainerdConfig Read(NodeRoot root, string file, int usual)
    {
        var text = root.Read(file) ?? "";
        var top = TomlParser.Parse(text, out _) ?? new TomlTable(0);
        var version = int.TryParse(top.Scalar("version"), out var written) ? written : text.Length == 0 ? usual : 1;
        var imported = top.Texts("imports").SelectMany(path => root.List(Path.GetDirectoryName(path) ?? "/", Path.GetFileName(path)))
            .Select(path => TomlParser.Parse(root.Read(path) ?? "", out _)).OfType<TomlTable>();
        return new ContainerdConfig(root, file, text, version, [.. imported.Reverse(), top]);
    }

    /// <summary>The old way: <c>mirrors</c> and <c>configs</c>.</summary>
    public bool Admits(RegistryNeeds needs) => needs.IsPlain
        ? Mirrors(needs.Host).Contains($"http://{needs.Host}")
        : _files.Select(file => file.Table([.. RegistryTable, "configs", needs.Host, "tls"]))
            .Any(tls => tls is not null && (needs.HasCa && tls.Text("ca_file") is { Length: > 0 } || tls.IsTrue("insecure_skip_verify")));

    /// <summary>The old way as well.</summary>
    public IEnumerable<string> Mirrors(string host) =>
        _files.SelectMany(file => file.Table([.. RegistryTable, "mirrors", host])?.Texts("endpoint") ?? []).Select(endpoint => endpoint.TrimEnd('/'));

    /// <summary>Sets a key where it stands, or in its table where that stands.</summary>
    public IEnumerable<Remedy> Set(string[] table, string key, string value)
    {
        var (file, line) = (_root.At(_file), $"{key} = \"{value}\"");
        var top = TomlParser.Parse(_text, out _);
        var header = $"[{string.Join('.', table.Select(Quote))}]";
        if (top is null || _text.Length == 0)
            return [Remedy.Write(file, $"version = {_version}\n\n{header}\n  {line}")];
        var there = top.Table(table);
        if (there?.LineOf(key) is > 0 and var at)
            return [Remedy.Replace(file, at, $"{Indent(at)}{line}")];
        return [there is { Line: > 0 } && IsHeader(there.Line, table) ? Remedy.AddBehind(file, there.Line, $"{Indent(there.Line)}  {line}") : Remedy.AddBehind(file, 0, $"{header}\n  {line}")];
    }

    private string? Find(string[] table, string key) => _files.Select(file => file.Table(table)?.Text(key)).FirstOrDefault(value => !string.IsNullOrEmpty(value));

    /// <summary>A table that is only a part of another's header has no line of its own.</summary>
    private bool IsHeader(int line, string[] table)
    {
        var written = TomlParser.Parse(_text.Split('\n')[line - 1], out _);
        return written?.Table(table) is { } only && !only.Keys.Any();
    }

    private string Indent(int line)
    {
        var text = _text.Split('\n')[line - 1];
        return text[..(text.Length - text.TrimStart().Length)];
    }

    private static string Quote(string key) => key.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-') ? key : $"\"{key}\"";
}
