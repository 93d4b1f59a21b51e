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

    /// <summary>
    /// Finds a member as Go's encoding/json does, by which most of such files and answers were tried: whatever the case of its name's
    /// letters, and the last of several. One that is null is as good as absent.
    /// </summary>
    public static JsonElement? Find(this JsonElement element, string name)
    {
        if (element.ValueKind != JsonValueKind.Object)
            return null;
        JsonElement? found = null;
        foreach (var member in element.EnumerateObject())
        {
            if (member.Value.ValueKind != JsonValueKind.Null && OrNothing(() => member.Name) is { } key && IsSameInAnyCase(key, name))
                found = member.Value;
        }
        return found;
    }

    /// <summary>By Unicode's simple folding, where two more letters are the same as an ASCII one: the long s and the Kelvin sign.</summary>
    private static bool IsSameInAnyCase(string key, string name) =>
        key.Replace('\u017F', 's').Replace('\u212A', 'k').Equals(name, StringComparison.OrdinalIgnoreCase);

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
