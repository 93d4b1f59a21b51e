using System.Text.Json;
using ImageCriShim.Configuration;
using ImageCriShim.Rewriting;
using Microsoft.Extensions.Logging.Abstractions;

namespace ImageCriShim.Commands;

/// <summary>
/// <c>image-cri-shim images</c> and <c>missing</c>: what the daemon has written down in its state directory. Neither the daemon nor the
/// runtime is needed, and nothing is changed.
/// </summary>
internal static class StateCommand
{
    private const int Ok = 0;
    private const int CannotBeRead = 1;
    private const int BadConfig = 2;

    private static readonly string[] s_head = ["original", "actual", "registry", "digest", "when"];

    /// <returns>The exit code: 0 shown, 1 what is kept cannot be read, 2 the configuration is unusable.</returns>
    public static int ShowImages(string configPath, OutputFormat output) => Show(configPath, StateJson.Pulls, pulls =>
    {
        var latest = pulls.OrderByDescending(pull => pull.At);
        return output is OutputFormat.Json ? JsonText.FormatList(latest, WriteImage) : TextTable.Format([s_head, .. latest.Select(Cells)]);
    });

    /// <returns>As <see cref="ShowImages"/>.</returns>
    public static int ShowMissing(string configPath, MissingFormat output) => Show(configPath, StateJson.Missing, missing =>
    {
        var latest = missing.OrderByDescending(image => image.Last);
        return output is MissingFormat.Json
            ? JsonText.FormatList(latest, StateJson.WriteMissing)
            : string.Concat(latest.Select(image => $"{PrintableText.Of(image.Image)}\n"));
    });

    private static int Show<T>(string configPath, StateFormat<T> format, Func<IReadOnlyList<T>, string> show)
    {
        var config = ConfigFile.Load(configPath);
        foreach (var problem in config.Problems)
            Console.Error.WriteLine(problem);
        if (config.Settings is not { } settings)
            return BadConfig;
        var file = new StateFile<T>(format, new StateDirectory(settings.StateDirectory, NullLogger.Instance), NullLogger.Instance);
        try
        {
            var entries = file.TryRead(out var problem);
            if (problem is not (null or ""))
                return Fail(settings, format.File, problem);
            Console.Out.Write(show(entries ?? []));
            return Ok;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Fail(settings, format.File, YamlFile.WhyUnreadable(e));
        }
    }

    private static int Fail(ShimSettings settings, string file, string problem)
    {
        Console.Error.WriteLine($"{Path.Combine(settings.StateDirectory, file)}: {problem}");
        return CannotBeRead;
    }

    private static string[] Cells(RecordedPull pull) => [pull.Given, pull.Actual, pull.Registry, pull.Digest ?? "unknown", $"{pull.At:u}"];

    private static void WriteImage(Utf8JsonWriter json, RecordedPull pull)
    {
        json.WriteString("original", pull.Given);
        json.WriteString("actual", pull.Actual);
        json.WriteString("registry", pull.Registry);
        json.WriteString("digest", pull.Digest);
        json.WriteString("imageRef", pull.ImageRef);
        json.WriteString("when", pull.At);
    }
}

/// <summary>How missing images are written.</summary>
internal enum MissingFormat
{
    /// <summary>A name a line, as mirroring tools take them.</summary>
    List,
    Json,
}
