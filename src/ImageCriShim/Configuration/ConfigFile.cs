namespace ImageCriShim.Configuration;

/// <summary>The file that the operator wrote, and its drop-ins, on their way to <see cref="ShimSettings"/>.</summary>
internal static class ConfigFile
{
    /// <summary>Never throws for what an operator can cause: a file that is absent, unreadable or wrong.</summary>
    /// <param name="path">Of the config file.</param>
    /// <param name="origins">Is told where everything was written.</param>
    public static ConfigResult Load(string path, Origins? origins = null)
    {
        var reports = new List<ConfigReport>();
        var (tops, open) = (new List<YamlMap?>(), new List<string>());
        var dropIns = DropIns.Find(path, out var problem);
        foreach (var file in dropIns.Prepend(path))
        {
            reports.Add(new ConfigReport(NameOf(file, path)));
            tops.Add(YamlFile.Read(file, reports[^1]));
            if (tops[^1] is { } top && SecretKeys.AreIn(top) && IsOpenToAll(file))
                open.Add(file);
        }

        if (problem is not null) // not as if there were none: their registries are missing
            reports[0].Problem("", 0, problem);
        var settings = tops is [not null, ..] ? SettingsReader.Read([.. tops.OfType<YamlMap>()], origins) : null;
        return ConfigResult.Of(settings, reports) with { OpenToAll = open };
    }

    /// <summary>The same of files that were read already, in an image.</summary>
    /// <param name="files">The config file, and its drop-ins in the order of their names.</param>
    /// <param name="imageHas">Whether a file is in the image.</param>
    /// <param name="origins">Is told where everything was written.</param>
    public static ConfigResult Parse(IReadOnlyList<ConfigText> files, Func<string, bool> imageHas, Origins? origins = null)
    {
        var reports = new List<ConfigReport>();
        var (tops, open) = (new List<YamlMap?>(), new List<string>());
        foreach (var file in files)
        {
            reports.Add(new ConfigReport(file.Name) { ImageHas = imageHas });
            tops.Add(file.Text is null ? null : YamlFile.Parse(file.Text, reports[^1]));
            if (file.Problem is not null)
                reports[^1].Problem("", 0, file.Problem);
            if (file.IsOpenToAll && tops[^1] is { } top && SecretKeys.AreIn(top))
                open.Add(file.Path);
        }

        var settings = tops is [not null, ..] ? SettingsReader.Read([.. tops.OfType<YamlMap>()], origins) : null;
        return ConfigResult.Of(settings, reports) with { OpenToAll = open };
    }

    /// <summary>How a file is called in what is said of it: a drop-in with its directory.</summary>
    public static string NameOf(string file, string configPath) =>
        file == configPath ? Path.GetFileName(file) : $"{Path.GetFileName(DropIns.DirectoryOf(configPath))}/{Path.GetFileName(file)}";

    /// <summary>Others than its owner and its group may read it.</summary>
    internal static bool IsOpenToAll(string file) => FileIdentity.Find(file) is { } found && (found.Mode & UnixFileMode.OtherRead) != 0;
}

/// <summary>A config file, or one of its drop-ins, that was read already.</summary>
/// <param name="Path">In the image.</param>
/// <param name="Name">In what is said of it.</param>
/// <param name="Text">Null where it could not be read.</param>
/// <param name="Problem">Why not; what is wrong beside it.</param>
/// <param name="IsOpenToAll">Others than its owner and its group may read it.</param>
internal sealed record ConfigText(string Path, string Name, string? Text, string? Problem, bool IsOpenToAll);

/// <summary>What became of a config file: settings, or every reason why there are none.</summary>
/// <param name="Settings">Null exactly if there are problems.</param>
/// <param name="Problems">Each a line: <c>key (file:line): what is wrong; what is allowed</c>.</param>
/// <param name="Warnings">The settings hold, but not quite as written.</param>
/// <param name="Notes">Good to know.</param>
internal sealed record ConfigResult(
    ShimSettings? Settings, IReadOnlyList<string> Problems, IReadOnlyList<string> Warnings, IReadOnlyList<string> Notes)
{
    /// <summary>Files with secrets in them that others than their owner and group may read.</summary>
    public IReadOnlyList<string> OpenToAll { get; init; } = [];

    /// <param name="settings">If the files say nothing wrong.</param>
    /// <param name="reports">Of all files, in the order in which they are read.</param>
    public static ConfigResult Of(ShimSettings? settings, IReadOnlyList<ConfigReport> reports)
    {
        List<string> problems = [.. reports.SelectMany(report => report.Problems)];
        return new(
            problems.Count == 0 ? settings : null, problems, [.. reports.SelectMany(report => report.Warnings)], [.. reports.SelectMany(report => report.Notes)]);
    }
}
