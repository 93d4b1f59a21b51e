using System.Security.Cryptography;
using System.Text.Json;
using ImageCriShim.Images;

namespace ImageCriShim.Registries;

/// <summary>
/// Judges a manifest by its bytes: where a registry's headers do not tell what it is (<c>text/plain</c>, no type, no digest),
/// and an index for its platforms.
/// </summary>
internal static class ManifestBody
{
    public const int MaxBytes = 4 * 1024 * 1024; // registries must take manifests of 4 MiB and may refuse larger ones (OCI distribution-spec)

    public static readonly ProbeResult TooLarge = new ProbeResult.Missing("only as a manifest larger than 4 MiB");

    /// <param name="body">All of it.</param>
    /// <param name="header">The media type that the registry states beside it.</param>
    /// <param name="image">What was asked for.</param>
    /// <param name="platform">Of the node.</param>
    public static ProbeResult Judge(byte[] body, string? header, Reference image, Platform platform)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            return json.RootElement.ValueKind == JsonValueKind.Object
                ? Judge(json.RootElement, body, header, image, platform)
                : ManifestAnswer.NotARegistry("no image manifest");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // no JSON; a text in it that is no Unicode
        {
            return ManifestAnswer.NotARegistry("no image manifest"); // a page, a blob, anything
        }
    }

    private static ProbeResult Judge(JsonElement root, byte[] body, string? header, Reference image, Platform platform)
    {
        var mediaType = FindMediaType(root, header);
        if (ManifestTypes.IsSchema1(mediaType))
            return ManifestAnswer.OnlySchema1;
        if (!ManifestTypes.IsUsable(mediaType))
            return mediaType is null ? ManifestAnswer.NotARegistry("no image manifest") : new ProbeResult.Missing("no image, but another artifact");
        var digest = Digest(image.Digest ?? "sha256:", body);
        if (image.Digest is { } asked && digest != asked)
            return ManifestAnswer.OtherDigest;
        return ManifestTypes.IsIndex(mediaType) && ManifestIndex.FindMisfit(root, platform) is { } misfit
            ? new ProbeResult.Missing(misfit) { Digest = digest }
            : new ProbeResult.Found(digest, mediaType!);
    }

    /// <summary>The type by header, else by the manifest's own word, else by the shape that the image-spec gives it.</summary>
    private static string? FindMediaType(JsonElement root, string? header)
    {
        if (ManifestTypes.IsUsable(header) || ManifestTypes.IsSchema1(header))
            return header;
        if (root.TryGetProperty("mediaType", out var stated) && stated.ValueKind == JsonValueKind.String)
            return stated.GetString();
        if (root.TryGetProperty("manifests", out _))
            return ManifestTypes.OciIndex;
        if (root.TryGetProperty("config", out _) && root.TryGetProperty("layers", out _))
            return ManifestTypes.OciManifest;
        return root.TryGetProperty("fsLayers", out _) ? ManifestTypes.DockerSchema1 : null;
    }

    private static string Digest(string like, byte[] body)
    {
        var algorithm = like[..like.IndexOf(':')];
        var hash = algorithm switch
        {
            "sha512" => SHA512.HashData(body),
            "sha384" => SHA384.HashData(body),
            _ => SHA256.HashData(body),
        };
        return $"{algorithm}:{Convert.ToHexStringLower(hash)}";
    }
}
