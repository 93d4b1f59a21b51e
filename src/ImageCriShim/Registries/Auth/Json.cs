using System.Text.Json;

namespace ImageCriShim.Registries.Auth;

/// <summary>Reading JSON that somebody else wrote: what has another form than it should is as good as absent.</summary>
internal static class Json
{
    public static string? Text(this JsonElement element, string name) =>
        element.Find(name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    public static IEnumerable<JsonProperty> Members(this JsonElement element, string name) =>
        element.Find(name) is { ValueKind: JsonValueKind.Object } members ? members.EnumerateObject() : [];

    private static JsonElement? Find(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var found) ? found : null;
}
