namespace ImageCriShim.Configuration;

/// <summary>The file that the operator wrote, on its way to <see cref="ShimSettings"/>.</summary>
internal static class ConfigFile
{
    /// <summary>Never throws for what an operator can cause: a file that is absent, unreadable or wrong.</summary>
    public static ConfigResult Load(string path)
    {
        var report = new ConfigReport(Path.GetFileName(path));
        var top = YamlFile.Read(path, report);
        return ConfigResult.Of(top is null ? null : SettingsReader.Read(top), report);
    }
}

/// <summary>What became of a config file: settings, or every reason why there are none.</summary>
/// <param name="Settings">Null exactly if there are problems.</param>
/// <param name="Problems">Each a line: <c>key (file:line): what is wrong; what is allowed</c>.</param>
/// <param name="Warnings">The settings hold, but not quite as written.</param>
/// <param name="Notes">Good to know.</param>
internal sealed record ConfigResult(
    ShimSettings? Settings, IReadOnlyList<string> Problems, IReadOnlyList<string> Warnings, IReadOnlyList<string> Notes)
{
    public static ConfigResult Of(ShimSettings? settings, ConfigReport report) =>
        new(report.Problems.Count == 0 ? settings : null, report.Problems, report.Warnings, report.Notes);
}
