using ImageCriShim.Configuration;

namespace ImageCriShim.Commands;

/// <summary>
/// <c>image-cri-shim config</c>: can this file be used, what does it come to, what may stand in it? Nothing is asked but the files, and
/// nothing is changed.
/// </summary>
internal static class ConfigCommand
{
    private const int Ok = 0;
    private const int BadConfig = 2;

    private const string SchemaResource = "settings.schema.json";

    /// <summary>Says everything that a start would say of the file and its drop-ins.</summary>
    /// <returns>The exit code: 0 it can be used, 2 it cannot.</returns>
    public static int Check(string path)
    {
        var config = ConfigFile.Load(path);
        Write("error", config.Problems);
        Write("warning", config.Warnings);
        Write("note", config.Notes);
        Console.WriteLine(config.Settings is null
            ? $"{path} cannot be used: {Count(config.Problems, "error")}, {Count(config.Warnings, "warning")}"
            : $"{path} can be used: {Count(config.Warnings, "warning")}");
        return config.Settings is null ? BadConfig : Ok;
    }

    /// <summary>Shows what is in force with the file and its drop-ins, and where each value was written.</summary>
    /// <returns>The exit code: 0, or 2 where the file cannot be used.</returns>
    public static int Show(string path)
    {
        var origins = new Origins();
        var config = ConfigFile.Load(path, origins);
        foreach (var remark in config.Problems.Concat(config.Warnings))
            Console.Error.WriteLine(remark);
        if (config.Settings is not { } settings)
            return BadConfig;
        Console.Write(SettingsText.Format(settings, origins));
        return Ok;
    }

    /// <summary>Writes the JSON Schema, by which editors complete and check the file.</summary>
    public static int WriteSchema()
    {
        EmbeddedText.Write(SchemaResource);
        return Ok;
    }

    private static void Write(string kind, IEnumerable<string> lines)
    {
        foreach (var line in lines)
            Console.WriteLine($"{kind} {line}");
    }

    private static string Count(IReadOnlyCollection<string> lines, string what) => $"{lines.Count} {what}{(lines.Count == 1 ? "" : "s")}";
}
