namespace ImageCriShim.Configuration;

/// <summary>The files that add to the config file: <c>*.yaml</c> in the directory beside it that has its name with <c>.d</c>.</summary>
internal static class DropIns
{
    /// <param name="configPath">Of the config file.</param>
    /// <param name="problem">Why it is not known which there are; null where it is.</param>
    /// <returns>In the order of their names; none where there is no such directory.</returns>
    public static IReadOnlyList<string> Find(string configPath, out string? problem)
    {
        var directory = DirectoryOf(configPath);
        problem = File.Exists(directory) ? $"{directory} is a file; make it a directory, or remove it" : null;
        if (!Directory.Exists(directory)) // most nodes have none, and an exception takes as long as half a start
            return [];
        try
        {
            // Of a ConfigMap's mount: what begins with a dot is its own business (..data).
            return [.. Directory.EnumerateFiles(directory, "*.yaml").Where(file => Path.GetFileName(file)[0] != '.').Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problem = $"{directory} {YamlFile.WhyUnreadable(e)}";
            return [];
        }
    }

    /// <summary><c>/etc/image-cri-shim.d</c> for <c>/etc/image-cri-shim.yaml</c>.</summary>
    public static string DirectoryOf(string configPath) => (configPath.EndsWith(".yaml", StringComparison.Ordinal) ? configPath[..^5] : configPath) + ".d";
}
