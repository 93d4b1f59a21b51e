using System.Text;

namespace ImageCriShim.Configuration;

/// <summary>What can still be read of a file that cannot be used: where callers call, and where the runtime is.</summary>
internal static class SalvagedSockets
{
    private const int MaxBytes = 1024 * 1024; // as much as of a file that can be used
    private const string End = ".sock"; // which every socket's path that anybody uses ends in

    private static readonly string[] s_keys = ["shim", "cri"];

    /// <summary>Never throws for what may have become of a file.</summary>
    /// <returns>Settings with nothing but these two paths, or their defaults, and the wish to serve even without a runtime.</returns>
    public static ShimSettings Read(string path)
    {
        var text = WithoutHalfAPath(ReadText(path));
        var defaults = new ShimSettings { Registries = [] };
        var shim = Find(text, s_keys[0]) ?? defaults.ShimSocket;
        var runtime = Find(text, s_keys[1]);
        return defaults with { ShimSocket = shim, RuntimeSocket = runtime == shim ? null : runtime, Force = true };
    }

    private static string? Find(string text, string key)
    {
        if (YamlFile.Parse(text, new ConfigReport("")) is { } whole)
            return PathIn(whole, key);
        // Only lines that begin with it: below some other key it would mean something else.
        var lines = text.Split('\n').Where(line => line.StartsWith(key, StringComparison.OrdinalIgnoreCase));
        return lines.Select(line => YamlFile.Parse(line, new ConfigReport("")) is { } map ? PathIn(map, key) : null).LastOrDefault(found => found is not null);
    }

    private static string? PathIn(YamlMap map, string key)
    {
        var before = map.Report.Problems.Count;
        var path = map.SocketPath(key);
        return map.Report.Problems.Count == before ? path : null;
    }

    /// <summary>A file that is half written may end within a path, which still looks like one.</summary>
    private static string WithoutHalfAPath(string text)
    {
        var last = text[(text.LastIndexOf('\n') + 1)..];
        var isWhole = last.TrimEnd().TrimEnd('"', '\'').EndsWith(End, StringComparison.Ordinal);
        return !isWhole && s_keys.Any(key => last.StartsWith(key, StringComparison.OrdinalIgnoreCase)) ? text[..^last.Length] : text;
    }

    private static string ReadText(string path)
    {
        try
        {
            using var file = RegularFile.OpenRead(path);
            var bytes = new byte[MaxBytes];
            return Encoding.UTF8.GetString(bytes, 0, file.ReadAtLeast(bytes, MaxBytes, throwOnEndOfStream: false));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
