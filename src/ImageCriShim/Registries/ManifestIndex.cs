using System.Text.Json;
using ImageCriShim.Images;

namespace ImageCriShim.Registries;

/// <summary>Which platforms an index (or a Docker manifest list) has images for: OCI image-spec image-index.md.</summary>
internal static class ManifestIndex
{
    private const int ShownPlatforms = 5; // Docker Hub's official images have nine; more than these help nobody
    private const int MaxWord = 16; // of a platform, of which there are none with longer words

    /// <returns>Null if a node of <paramref name="platform"/> finds an image in it; else what it has instead, for people.</returns>
    /// <exception cref="InvalidOperationException">It holds a text that is no Unicode.</exception>
    public static string? FindMisfit(JsonElement index, Platform platform)
    {
        if (!index.TryGetProperty("manifests", out var entries) || entries.ValueKind != JsonValueKind.Array)
            return "only as an empty index";
        var others = new List<string>();
        foreach (var entry in entries.EnumerateArray())
        {
            if (entry.ValueKind != JsonValueKind.Object || IsAttestation(entry))
                continue;
            if (FindPlatform(entry) is not { } offered || platform.Runs(offered) || ManifestTypes.IsIndex(Text(entry, "mediaType")))
                return null;
            if (!others.Contains($"{offered}"))
                others.Add($"{offered}");
        }
        return others.Count == 0 ? "only as an empty index" : $"only for {List(others)}";
    }

    /// <summary>
    /// Null where the entry does not say it; containerd takes such an entry.
    /// </summary>
    private static Platform? FindPlatform(JsonElement entry)
    {
        if (!entry.TryGetProperty("platform", out var platform) || platform.ValueKind != JsonValueKind.Object)
            return null;
        var (os, architecture, variant) = (Word(platform, "os"), Word(platform, "architecture"), Word(platform, "variant"));
        return os.Length == 0 || architecture.Length == 0 ? null : Platform.Normalize(os, architecture, variant);
    }

    /// <summary>What BuildKit puts beside images: provenance and bills of material. They are no images.</summary>
    private static bool IsAttestation(JsonElement entry) =>
        (entry.TryGetProperty("annotations", out var notes)
            && notes.ValueKind == JsonValueKind.Object
            && notes.TryGetProperty("vnd.docker.reference.type", out _))
        || FindPlatform(entry) is { Os: "unknown", Architecture: "unknown" };

    private static string List(List<string> platforms) =>
        string.Join(", ", platforms.Take(ShownPlatforms)) + (platforms.Count > ShownPlatforms ? ", ..." : "");

    /// <summary>A registry wrote it and a log will show it.</summary>
    private static string Word(JsonElement parent, string name)
    {
        var text = Text(parent, name) ?? "";
        var word = text.Length > MaxWord ? text[..MaxWord] : text;
        return string.Concat(word.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' ? c : '?'));
    }

    private static string? Text(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
