using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace ImageCriShim.Tests.Node;

/// <summary>
/// A runnable image unlike any other: busybox of the lab, and a label that makes configuration, manifest and ID its own. Images that
/// share an ID would be removed together, and blobs that a runtime has are not asked for again.
/// </summary>
public sealed class TestImage
{
    private const string Manifest = "application/vnd.oci.image.manifest.v1+json";
    private const string Index = "application/vnd.oci.image.index.v1+json";

    private static readonly Lazy<(byte[] Packed, string DiffId)> s_base = new(ReadBaseLayer);

    private TestImage(string id, IReadOnlyList<byte[]> blobs, IReadOnlyList<(string Type, byte[] Body)> manifests) =>
        (Id, Blobs, Manifests) = (id, blobs, manifests);

    /// <summary>As the runtime will call it: the digest of the configuration (for this platform).</summary>
    public string Id { get; }

    /// <summary>Of the manifest that tags point to.</summary>
    public string Digest => DigestOf(Manifests[^1].Body);

    public IReadOnlyList<byte[]> Blobs { get; }

    /// <summary>The last one is what tags point to.</summary>
    public IReadOnlyList<(string Type, byte[] Body)> Manifests { get; }

    public static TestImage Make() => MakeRunning("/bin/sleep", "infinity");

    /// <summary>Its container serves the page on port 80.</summary>
    public static TestImage MakeServing(string page) =>
        MakeRunning("/bin/sh", "-c", $"echo '{page}' >/tmp/index.html && exec httpd -f -h /tmp -p 80");

    /// <summary>An index; its ID is that of the last architecture.</summary>
    public static TestImage MakeIndex(params string[] architectures)
    {
        var platforms = architectures.Select(architecture => MakePlatform(architecture, "/bin/sleep", "infinity")).ToArray();
        var index = JsonSerializer.SerializeToUtf8Bytes(new
        {
            schemaVersion = 2,
            mediaType = Index,
            manifests = platforms.Zip(architectures, (platform, architecture) => OnPlatform(platform.Manifest, architecture)),
        });
        var configs = platforms.Select(platform => platform.Config);
        return new(DigestOf(configs.Last()), [s_base.Value.Packed, .. configs], [.. platforms.Select(platform => (Manifest, platform.Manifest)), (Index, index)]);
    }

    public static string DigestOf(byte[] content) => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(content))}";

    private static TestImage MakeRunning(params string[] command)
    {
        var (config, manifest) = MakePlatform("amd64", command);
        return new(DigestOf(config), [s_base.Value.Packed, config], [(Manifest, manifest)]);
    }

    private static (byte[] Config, byte[] Manifest) MakePlatform(string architecture, params string[] command)
    {
        var config = JsonSerializer.SerializeToUtf8Bytes(new
        {
            architecture,
            os = "linux",
            config = new { Entrypoint = command, Env = new[] { "PATH=/bin" }, Labels = new { unique = Guid.NewGuid() } },
            rootfs = new { type = "layers", diff_ids = new[] { s_base.Value.DiffId } },
        });
        var manifest = JsonSerializer.SerializeToUtf8Bytes(new
        {
            schemaVersion = 2,
            mediaType = Manifest,
            config = Descriptor("application/vnd.oci.image.config.v1+json", config),
            layers = new[] { Descriptor("application/vnd.oci.image.layer.v1.tar+gzip", s_base.Value.Packed) },
        });
        return (config, manifest);
    }

    private static object Descriptor(string mediaType, byte[] content) => new { mediaType, digest = DigestOf(content), size = content.Length };

    private static object OnPlatform(byte[] manifest, string architecture) =>
        new { mediaType = Manifest, digest = DigestOf(manifest), size = manifest.Length, platform = new { os = "linux", architecture } };

    private static (byte[] Packed, string DiffId) ReadBaseLayer()
    {
        var packed = File.ReadAllBytes(Path.Combine(Lab.Cache, "base-layer.tar.gz"));
        using var unpacked = new GZipStream(new MemoryStream(packed), CompressionMode.Decompress);
        return (packed, $"sha256:{Convert.ToHexStringLower(SHA256.HashData(unpacked))}");
    }
}
