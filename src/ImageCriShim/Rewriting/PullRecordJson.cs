using System.Buffers;
using System.Text.Json;

namespace ImageCriShim.Rewriting;

/// <summary>
/// The record as it stands in its file:
/// <code>
/// {"version":1,"pulls":[{"given":"nginx:1.25","actual":"sealos.hub:5000/library/nginx:1.25","registry":"sealos.hub:5000",
///   "ref":"sha256:...","at":"2026-01-01T00:00:00Z","with":"node"}, ...]}
/// </code>
/// Properties that a later release adds are skipped; whatever else is not like this makes the whole of it unusable.
/// </summary>
internal static class PullRecordJson
{
    private const int Version = 1;

    private static readonly (PulledWith With, string Name)[] s_names =
        [(PulledWith.Nothing, "none"), (PulledWith.NodesOwn, "node"), (PulledWith.Callers, "caller")];

    public static ReadOnlyMemory<byte> Write(IEnumerable<RecordedPull> pulls)
    {
        var text = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(text);
        json.WriteStartObject();
        json.WriteNumber("version", Version);
        json.WriteStartArray("pulls");
        foreach (var pull in pulls)
        {
            json.WriteStartObject();
            json.WriteString("given", pull.Given);
            json.WriteString("actual", pull.Actual);
            json.WriteString("registry", pull.Registry);
            json.WriteString("ref", pull.ImageRef);
            json.WriteString("at", pull.At);
            json.WriteString("with", s_names.First(name => name.With == pull.With).Name);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        return text.WrittenMemory;
    }

    /// <param name="text">Whatever was in the file.</param>
    /// <param name="problem">What is wrong with it.</param>
    /// <returns>Null where there is a problem.</returns>
    public static IReadOnlyList<RecordedPull>? TryRead(ReadOnlyMemory<byte> text, out string problem)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            problem = json.RootElement.GetProperty("version").GetInt32() == Version ? "" : "it is of another release";
            return problem.Length > 0 ? null : [.. json.RootElement.GetProperty("pulls").EnumerateArray().Select(Read)];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            problem = e is JsonException ? "it is not JSON" : "it does not hold what it should";
            return null;
        }
    }

    private static RecordedPull Read(JsonElement pull) => new(
        Text(pull, "given"),
        Text(pull, "actual"),
        Text(pull, "registry"),
        Text(pull, "ref"),
        pull.GetProperty("at").GetDateTimeOffset(),
        s_names.First(name => name.Name == Text(pull, "with")).With);

    private static string Text(JsonElement pull, string property) => pull.GetProperty(property).GetString() ?? throw new FormatException();
}
