using System.Text.Json;

namespace ImageCriShim.Registries.Auth;

/// <summary>
/// Reading JSON that somebody else wrote: what has another form than it should is as good as absent. So is a text that is no Unicode
/// (<c>"\ud800"</c>): it is sound JSON, and the framework throws where it is read.
/// </summary>
internal static class Json
{
    public static string? Text(this JsonElement element, string name) => OrNothing(() => Find(element, name)?.Text());

    public static string? Text(this JsonElement element) => OrNothing(() => element.ValueKind == JsonValueKind.String ? element.GetString() : null);

    public static IEnumerable<(string Name, JsonElement Value)> Members(this JsonElement element, string name) =>
        OrNothing(() => Find(element, name)) is { } found ? found.Members() : [];

    public static IEnumerable<(string Name, JsonElement Value)> Members(this JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Object)
            yield break;
        foreach (var member in element.EnumerateObject())
        {
            if (OrNothing(() => member.Name) is { } key)
                yield return (key, member.Value);
        }
    }

    /// <summary>As Go finds it: by its name in capitals or not; of several that are not null the last one counts.</summary>
    private static JsonElement? Find(JsonElement element, string name)
    {
        var found = default(JsonElement?);
        if (element.ValueKind != JsonValueKind.Object)
            return null;
        foreach (var member in element.EnumerateObject())
        {
            if (member.Value.ValueKind != JsonValueKind.Null && OrNothing(() => member.Name)?.Equals(name, StringComparison.OrdinalIgnoreCase) == true)
                found = member.Value;
        }

        return found;
    }

    private static T? OrNothing<T>(Func<T?> read)
    {
        try
        {
            return read();
        }
        catch (InvalidOperationException)
        {
            return default;
        }
    }
}
