using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace ImageCriShim.Configuration;

/// <summary>A file of YAML, or of JSON, which is YAML too.</summary>
internal static class YamlFile
{
    public const int MaxBytes = 1024 * 1024; // a thousand registries are 100 KiB

    /// <summary>Never throws for what an operator can cause: a file that is absent, unreadable or wrong.</summary>
    /// <returns>Its top level; null where there is none to read, which is reported.</returns>
    public static YamlMap? Read(string path, ConfigReport report)
    {
        try
        {
            if (Directory.Exists(path))
                report.Problem("", 0, $"{path} is a directory; name a file");
            else if (TextFile.Read(path, MaxBytes) is { } text)
                return Parse(text, report);
            else
                report.Problem("", 0, $"is larger than {MaxBytes / 1024} KiB; is it the right file?");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            report.Problem("", 0, $"{path} {WhyUnreadable(e)}");
        }
        return null;
    }

    /// <summary>In words of our own: the published program carries no framework messages.</summary>
    public static string WhyUnreadable(Exception e) => e switch
    {
        FileNotFoundException or DirectoryNotFoundException => "does not exist",
        NotAFileException => e.Message,
        UnauthorizedAccessException => "may not be read by this process",
        _ => "cannot be read",
    };

    /// <returns>Its top level; null where the text is not YAML, which is reported.</returns>
    public static YamlMap? Parse(string text, ConfigReport report)
    {
        report.LastLine = text.Count(c => c == '\n') + 1;
        var stream = new YamlStream();
        var parser = new BoundedParser(new StringReader(text));
        try
        {
            stream.Load(parser);
        }
        catch (YamlException e)
        {
            var tab = FindTab(text);
            if (tab > 0)
                report.Problem("", tab, "is not YAML: the line is indented with a tab; use spaces");
            else
                report.Problem("", e is AnchorNotFoundException ? 0 : e.Start.Line, $"is not YAML: {WhyNoYaml(e)}");
            return null;
        }
        catch (Exception e) when (e is not OutOfMemoryException) // a defect of the library must not end the process: such a text is no YAML either
        {
            report.Problem("", parser.Line, "is not YAML: it makes no sense here or soon after");
            return null;
        }

        var root = stream.Documents.Count == 0 ? null : stream.Documents[0].RootNode;
        if (stream.Documents.Count > 1)
            report.Problem("", stream.Documents[1].RootNode.Start.Line, "a second document begins here; use one");
        if (root is not null and not YamlMappingNode and not YamlScalarNode { Value: null or "" })
        {
            report.Problem("", root.Start.Line, "is not a mapping; use key: value lines");
            return null;
        }

        return new YamlMap(root as YamlMappingNode, "", report);
    }

    /// <summary>An alias may be a password that wanted quotes, so its name is not shown. (Its line is not known.)</summary>
    private static string WhyNoYaml(YamlException e)
    {
        const string twice = "Duplicate key ";
        if (e is AnchorNotFoundException)
            return "a value that begins with * must be in quotes";
        return e.Message.StartsWith(twice, StringComparison.Ordinal)
            ? $"the key {SecretKeys.Show(e.Message[twice.Length..])} stands there twice; use it once, and begin each entry of a list with a dash"
            : e.Message;
    }

    /// <summary>The first line that is indented with one, counted from 1; 0 for none.</summary>
    private static int FindTab(string text) =>
        Array.FindIndex(text.Split('\n'), line => line.TrimStart(' ').StartsWith('\t') && !string.IsNullOrWhiteSpace(line)) + 1;
}
