using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace ImageCriShim.Configuration;

/// <summary>The file that the operator wrote, on its way to <see cref="ShimSettings"/>.</summary>
internal static class ConfigFile
{
    private const int MaxBytes = 1024 * 1024; // a thousand registries are 100 KiB

    /// <summary>Never throws for what an operator can cause: a file that is absent, unreadable or wrong.</summary>
    public static ConfigResult Load(string path)
    {
        var report = new ConfigReport(Path.GetFileName(path));
        try
        {
            if (new FileInfo(path).Length <= MaxBytes)
                return Parse(File.ReadAllText(path), report);
            report.Problem("", 0, $"is larger than {MaxBytes / 1024} KiB; is it the right file?");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            report.Problem("", 0, $"{path} {WhyUnreadable(e)}");
        }
        return ConfigResult.Of(null, report);
    }

    /// <summary>In words of our own: the published program carries no framework messages.</summary>
    public static string WhyUnreadable(Exception e) => e switch
    {
        FileNotFoundException or DirectoryNotFoundException => "does not exist",
        UnauthorizedAccessException => "may not be read by this process",
        _ => "cannot be read",
    };

    /// <summary>An alias may be a password that wanted quotes, so its name is not shown. (Its line is not known.)</summary>
    private static string WhyNoYaml(YamlException e) => e is AnchorNotFoundException
        ? "a value that begins with * must be in quotes"
        : e.Message;

    private static ConfigResult Parse(string text, ConfigReport report)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(text));
        }
        catch (YamlException e)
        {
            report.Problem("", e is AnchorNotFoundException ? 0 : e.Start.Line, $"is not YAML: {WhyNoYaml(e)}");
            return ConfigResult.Of(null, report);
        }

        var root = stream.Documents.Count == 0 ? null : stream.Documents[0].RootNode;
        if (stream.Documents.Count > 1)
            report.Problem("", stream.Documents[1].RootNode.Start.Line, "a second document begins here; use one");
        if (root is not null and not YamlMappingNode and not YamlScalarNode { Value: null or "" })
            report.Problem("", root.Start.Line, "is not a mapping; use key: value lines");
        var settings = SettingsReader.Read(new YamlMap(root as YamlMappingNode, "", report));
        return ConfigResult.Of(settings, report);
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
