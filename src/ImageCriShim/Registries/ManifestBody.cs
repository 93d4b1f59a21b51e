using System.Security.Cryptography;
using System.Text.Json;
using ImageCriShim.Images;

namespace ImageCriShim.Registries;

/// <summary>
/// Judges a manifest by its bytes, where a registry's headers do not tell what it is (<c>text/plain</c>, no type, no digest).
/// </summary>
internal static class ManifestBody
{
    private const int MaxBytes = 4 * 1024 * 1024; // registries must take manifests of 4 MiB and may refuse larger ones (OCI distribution-spec)

    /// <exception cref="IOException">The registry ended its answer too early.</exception>
    public static async Task<ProbeResult> Judge(HttpResponseMessage response, Reference image, CancellationToken cancellation)
    {
        if (await Read(response.Content, cancellation) is not { } body)
            return ManifestAnswer.NotARegistry("a manifest larger than 4 MiB");

        var mediaType = FindMediaType(body, response.Content.Headers.ContentType?.MediaType);
        if (ManifestTypes.IsSchema1(mediaType))
            return ManifestAnswer.OnlySchema1;
        if (!ManifestTypes.IsUsable(mediaType))
            return ManifestAnswer.NotARegistry("no image manifest");
        if (image.Digest is { } asked && Digest(asked, body) != asked)
            return ManifestAnswer.OtherDigest;
        return new ProbeResult.Found(image.Digest ?? Digest("sha256:", body), mediaType!);
    }

    /// <returns>Null if it is larger than <see cref="MaxBytes"/>.</returns>
    private static async Task<byte[]?> Read(HttpContent content, CancellationToken cancellation)
    {
        using var buffer = new MemoryStream();
        var stream = await content.ReadAsStreamAsync(cancellation);
        var chunk = new byte[16 * 1024];
        int read;
        while ((read = await stream.ReadAsync(chunk, cancellation)) > 0)
        {
            if (buffer.Length + read > MaxBytes)
                return null;
            buffer.Write(chunk, 0, read);
        }
        return buffer.ToArray();
    }

    /// <summary>The type by header, else by the manifest's own word, else by the shape that the image-spec gives it.</summary>
    private static string? FindMediaType(byte[] body, string? header)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            var root = json.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
                return null;
            if (ManifestTypes.IsUsable(header) || ManifestTypes.IsSchema1(header))
                return header;
            if (root.TryGetProperty("mediaType", out var stated) && stated.ValueKind == JsonValueKind.String)
                return stated.GetString();
            if (root.TryGetProperty("manifests", out _))
                return ManifestTypes.OciIndex;
            if (root.TryGetProperty("config", out _) && root.TryGetProperty("layers", out _))
                return ManifestTypes.OciManifest;
            return root.TryGetProperty("fsLayers", out _) ? "application/vnd.docker.distribution.manifest.v1+json" : null;
        }
        catch (JsonException)
        {
            return null; // a page, a blob, anything: no manifest
        }
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
