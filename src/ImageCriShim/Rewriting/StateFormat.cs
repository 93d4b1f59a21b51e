using System.Buffers;
using System.Text.Json;

namespace ImageCriShim.Rewriting;

/// <summary>
/// How a list of entries stands in a state file:
/// <code>{"version":1,"pulls":[{...}, ...]}</code>
/// Properties that a later release adds are skipped; whatever else is not like this makes the whole of it unusable.
/// </summary>
/// <param name="File">Its name in the state directory.</param>
/// <param name="What">It, for people.</param>
/// <param name="List">The property that holds the entries.</param>
/// <param name="WriteEntry">Writes the properties of one.</param>
/// <param name="ReadEntry">Throws InvalidOperationException, KeyNotFoundException or FormatException where it is none.</param>
internal sealed record StateFormat<T>(
    string File, string What, string List, Action<Utf8JsonWriter, T> WriteEntry, Func<JsonElement, T> ReadEntry)
{
    private const int Version = 1;

    public ReadOnlyMemory<byte> Write(IEnumerable<T> entries)
    {
        var text = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(text);
        json.WriteStartObject();
        json.WriteNumber("version", Version);
        json.WriteStartArray(List);
        foreach (var entry in entries)
        {
            json.WriteStartObject();
            WriteEntry(json, entry);
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
    public IReadOnlyList<T>? TryRead(ReadOnlyMemory<byte> text, out string problem)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            problem = json.RootElement.GetProperty("version").GetInt32() == Version ? "" : "it is of another release";
            return problem.Length > 0 ? null : [.. json.RootElement.GetProperty(List).EnumerateArray().Select(ReadEntry)];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            problem = e is JsonException ? "it is not JSON" : "it does not hold what it should";
            return null;
        }
    }
}
