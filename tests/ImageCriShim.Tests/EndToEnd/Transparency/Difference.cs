using System.Text.Json.Nodes;

namespace ImageCriShim.Tests.EndToEnd.Transparency;

/// <summary>What differs between two JSON values, one line for each place.</summary>
internal static class Difference
{
    private const int MostLines = 20; // more than that is not read

    public static string[] Of(JsonNode? direct, JsonNode? through) => [.. Walk("$", direct, through).Take(MostLines)];

    private static IEnumerable<string> Walk(string path, JsonNode? direct, JsonNode? through) => (direct, through) switch
    {
        (JsonObject one, JsonObject other) =>
            one.Select(pair => pair.Key).Union(other.Select(pair => pair.Key))
                .SelectMany(key => Walk($"{path}.{key}", one[key], other[key])),
        (JsonArray one, JsonArray other) => Enumerable.Range(0, Math.Max(one.Count, other.Count))
            .SelectMany(i => Walk($"{path}[{i}]", i < one.Count ? one[i] : null, i < other.Count ? other[i] : null)),
        _ => JsonNode.DeepEquals(direct, through)
            ? []
            : [$"{path}: direct {direct?.ToJsonString() ?? "nothing"}, through the shim {through?.ToJsonString() ?? "nothing"}"],
    };
}
