using System.Text.Json;
using ImageCriShim.Images;

namespace ImageCriShim.Registries.Auth;

/// <summary>
/// What a kubelet credential provider answered: credentials for some images, and for how long and for which of them they may be remembered.
/// </summary>
internal sealed class ProviderAnswer
{
    private readonly List<(ImageGlob For, Credential Credential)> _credentials = [];

    private ProviderAnswer()
    {
    }

    /// <summary>Why there is none; null where the plugin answered, if only that it has nothing.</summary>
    public string? Problem { get; private init; }

    /// <summary>Null where the plugin does not say.</summary>
    public TimeSpan? CacheDuration { get; private init; }

    /// <summary>What it is remembered for: <c>Image</c>, <c>Registry</c> or <c>Global</c>.</summary>
    public string CacheKeyType { get; private init; } = "";

    public static ProviderAnswer Failed(string problem) => new() { Problem = problem };

    /// <returns>Null where it is not what the protocol wants.</returns>
    public static ProviderAnswer? Parse(byte[] json, string apiVersion)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var root = document.RootElement;
            var isAnswer = root.Text("kind") == "CredentialProviderResponse" && root.Text("apiVersion") == apiVersion;
            return isAnswer && root.Text("cacheKeyType") is "Image" or "Registry" or "Global" ? Read(root) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The credential that is most especially for the image; null for none.</summary>
    public Credential? Find(Reference image) => _credentials.Find(entry => entry.For.Matches(image, wholeSegments: false)).Credential;

    private static ProviderAnswer Read(JsonElement root)
    {
        var answer = new ProviderAnswer { CacheKeyType = root.Text("cacheKeyType")!, CacheDuration = ReadDuration(root) };
        foreach (var (images, entry) in root.Members("auth"))
        {
            if (ImageGlob.TryParse(images, out var glob))
                answer._credentials.Add((glob, new Credential.Password(entry.Text("username") ?? "", entry.Text("password") ?? "")));
        }
        answer._credentials.Sort((one, other) => string.CompareOrdinal($"{other.For}", $"{one.For}"));
        return answer;
    }

    private static TimeSpan? ReadDuration(JsonElement root) =>
        root.Text("cacheDuration") is { } text ? GoDuration.TryParse(text, out var duration) ? duration : TimeSpan.Zero : null;
}
