using System.Text.Json;

namespace ImageCriShim.Handover;

/// <summary>What a process that has handed over says of itself while its last calls go on.</summary>
/// <param name="Id">Of the process.</param>
/// <param name="Version">Of the program.</param>
/// <param name="Connections">Of callers, each with a call or a stream that goes on.</param>
/// <param name="Calls">How many go on.</param>
/// <param name="Oldest">The method of the oldest of them; empty where there is none.</param>
/// <param name="OldestAge">How long that one has been going on.</param>
/// <param name="Until">When the rest is cut.</param>
/// <param name="HasEnded">This is the last that it says.</param>
internal sealed record PredecessorReport(
    int Id, string Version, int Connections, int Calls, string Oldest, TimeSpan OldestAge, DateTimeOffset Until, bool HasEnded)
{
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteNumber("pid", Id);
        json.WriteString("version", Version);
        json.WriteNumber("connections", Connections);
        json.WriteNumber("calls", Calls);
        json.WriteString("oldestCall", Oldest);
        json.WriteNumber("oldestCallSeconds", (long)OldestAge.TotalSeconds);
        json.WriteString("until", Until);
        json.WriteBoolean("ended", HasEnded);
        json.WriteEndObject();
    }

    /// <returns>Null where it is none.</returns>
    public static PredecessorReport? TryRead(ReadOnlyMemory<byte> text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            var json = document.RootElement;
            return new(
                json.GetProperty("pid").GetInt32(),
                json.GetProperty("version").GetString() ?? "",
                json.GetProperty("connections").GetInt32(),
                json.GetProperty("calls").GetInt32(),
                json.GetProperty("oldestCall").GetString() ?? "",
                TimeSpan.FromSeconds(json.GetProperty("oldestCallSeconds").GetInt64()),
                json.GetProperty("until").GetDateTimeOffset(),
                json.GetProperty("ended").GetBoolean());
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or OverflowException)
        {
            return null;
        }
    }
}
