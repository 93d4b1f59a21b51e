namespace ImageCriShim.Configuration;

/// <summary>The files that add to the config file: <c>*.yaml</c> in the directory beside it that has its name with <c>.d</c>.</summary>
internal static class DropIns
{
    public const string Pattern = "*.yaml";

    /// <summary>What is wrong where a file has the directory's name; it follows the path in a sentence.</summary>
    public const string NoDirectory = "is a file; make it a directory, or remove it";

    /// <param name="configPath">Of the config file.</param>
    /// <param name="problem">Why it is not known which there are; null where it is.</param>
    /// <returns>In the order of their names; none where there is no such directory.</returns>
    public static IReadOnlyList<string> Find(string configPath, out string? problem)
    {
        var directory = DirectoryOf(configPath);
        problem = File.Exists(directory) ? $"{directory} {NoDirectory}" : null;
        if (!Directory.Exists(directory)) // most nodes have none, and an exception takes as long as half a start
            return [];
        try
        {
            return [.. Directory.EnumerateFiles(directory, Pattern).Where(IsOurs).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problem = $"{directory} {YamlFile.WhyUnreadable(e)}";
            return [];
        }
    }

    /// <summary>Whether a file is a drop-in: names that begin with a dot belong to the mount of a ConfigMap (<c>..data</c>).</summary>
    public static bool IsOurs(string file) => Path.GetFileName(file)[0] != '.';

    /// <summary><c>/etc/image-cri-shim.d</c> for <c>/etc/image-cri-shim.yaml</c>.</summary>
    public static string DirectoryOf(string configPath) => (configPath.EndsWith(".yaml", StringComparison.Ordinal) ? configPath[..^5] : configPath) + ".d";
}
