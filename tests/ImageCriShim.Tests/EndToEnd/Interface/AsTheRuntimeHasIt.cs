using System.Text.Json.Nodes;

namespace ImageCriShim.Tests.EndToEnd.Interface;

/// <summary>
/// The places where a caller sees the name by which the runtime really has an image that was asked for by another: the runtime's own words
/// about its containers. In <c>ListImages</c>, <c>ImageStatus</c> and <c>ContainerStatus.image.image</c> that name is not seen.
/// </summary>
internal static class AsTheRuntimeHasIt
{
    /// <summary>Stands for the offline registry.</summary>
    public const string Host = "OFFLINE";

    private const string Original = "docker.io/library/nginx";
    private const string Given = "nginx:1.25";

    /// <param name="method">As <c>RuntimeService/ListContainers</c>.</param>
    /// <param name="direct">What the runtime answers to its calls.</param>
    public static JsonNode In(string method, JsonNode direct) => Walk(direct, [method])!;

    private static JsonNode? Walk(JsonNode? value, string[] path) => value switch
    {
        JsonObject held => new JsonObject(held.Select(pair => KeyValuePair.Create(pair.Key, Walk(pair.Value, [.. path, pair.Key])))),
        JsonArray held => new JsonArray([.. held.Select(one => Walk(one, path))]),
        JsonValue held when held.GetValueKind() is System.Text.Json.JsonValueKind.String && IsThere(path) => Renamed((string)held!),
        _ => value?.DeepClone(),
    };

    private static bool IsThere(string[] path) => path switch
    {
        ["RuntimeService/ListContainers", .., "image", "image"] => true,
        ["RuntimeService/ContainerStatus", .., "status", "image_ref"] => true,
        ["RuntimeService/ContainerStatus", _, "answer", "info", ..] => true,
        ["RuntimeService/PodSandboxStatus" or "RuntimeService/GetContainerEvents", .., "containers_statuses", "image_ref"] => true,
        ["RuntimeService/PodSandboxStatus" or "RuntimeService/GetContainerEvents", .., "containers_statuses", "image", "image"] => true,
        _ => false,
    };

    private static string Renamed(string name) =>
        name == Given ? $"{Host}/library/{Given}" : name.Replace(Original, $"{Host}/library/nginx");
}
