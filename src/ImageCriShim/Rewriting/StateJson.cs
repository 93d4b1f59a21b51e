using System.Text.Json;

namespace ImageCriShim.Rewriting;

/// <summary>What stands in the state directory.</summary>
internal static class StateJson
{
    /// <summary>
    /// The record of pulls:
    /// <code>
    /// {"given":"nginx:1.25","actual":"sealos.hub:5000/library/nginx:1.25","registry":"sealos.hub:5000","ref":"sha256:...",
    ///   "digest":"sha256:...","at":"2026-01-01T00:00:00Z","with":"node"}
    /// </code>
    /// </summary>
    public static readonly StateFormat<RecordedPull> Pulls = new("pulls.json", "the record of pulls", "pulls", WritePull, ReadPull);

    /// <summary>
    /// What no registry had:
    /// <code>{"image":"docker.io/library/nginx:1.25","first":"...","last":"...","asked":["sealos.hub:5000/library/nginx:1.25"]}</code>
    /// </summary>
    public static readonly StateFormat<MissingImage> Missing = new("missing.json", "the list of missing images", "missing", WriteMissing, ReadMissing);

    private static readonly (PulledWith With, string Name)[] s_with =
        [(PulledWith.Nothing, "none"), (PulledWith.NodesOwn, "node"), (PulledWith.Callers, "caller"), (PulledWith.Unknown, "unknown")];

    public static void WritePull(Utf8JsonWriter json, RecordedPull pull)
    {
        json.WriteString("given", pull.Given);
        json.WriteString("actual", pull.Actual);
        json.WriteString("registry", pull.Registry);
        json.WriteString("ref", pull.ImageRef);
        if (pull.Digest is not null)
            json.WriteString("digest", pull.Digest);
        json.WriteString("at", pull.At);
        json.WriteString("with", s_with.First(name => name.With == pull.With).Name);
    }

    public static void WriteMissing(Utf8JsonWriter json, MissingImage missing)
    {
        json.WriteString("image", missing.Image);
        json.WriteString("first", missing.First);
        json.WriteString("last", missing.Last);
        json.WriteStartArray("asked");
        foreach (var candidate in missing.Asked)
            json.WriteStringValue(candidate);
        json.WriteEndArray();
    }

    private static RecordedPull ReadPull(JsonElement pull) => new(
        Text(pull, "given"),
        Text(pull, "actual"),
        Text(pull, "registry"),
        Text(pull, "ref"),
        pull.GetProperty("at").GetDateTimeOffset(),
        s_with.First(name => name.Name == Text(pull, "with")).With,
        pull.TryGetProperty("digest", out var digest) ? digest.GetString() : null);

    private static MissingImage ReadMissing(JsonElement missing) => new(
        Text(missing, "image"),
        missing.GetProperty("first").GetDateTimeOffset(),
        missing.GetProperty("last").GetDateTimeOffset(),
        [.. missing.GetProperty("asked").EnumerateArray().Select(Text)]);

    private static string Text(JsonElement entry, string property) => Text(entry.GetProperty(property));

    private static string Text(JsonElement value) => value.GetString() ?? throw new FormatException();
}
