using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;

namespace ImageCriShim.Benchmarks;

/// <summary>
/// An archive of images that share one layer and nothing else, as an OCI layout (image-spec, "OCI Image Layout"). Each has a name with a
/// tag and one with a digest, as if it had been pulled.
/// </summary>
internal static class ManyImages
{
    private static readonly string[] s_entrypoint = ["/bin/sleep"];

    private const string Manifest = "application/vnd.oci.image.manifest.v1+json";

    /// <param name="file">The archive to write.</param>
    /// <param name="nameOf">The repository of each image; its tag is 1.</param>
    internal static void Write(string file, string baseLayer, int count, Func<int, string> nameOf)
    {
        using var tar = new TarWriter(File.Create(file));
        var layer = File.ReadAllBytes(baseLayer);
        using var unpacked = new GZipStream(new MemoryStream(layer), CompressionMode.Decompress);
        var diffId = $"sha256:{Convert.ToHexStringLower(SHA256.HashData(unpacked))}";
        var entries = new List<object>();
        AddBlob(tar, layer);
        for (var i = 0; i < count; i++)
        {
            var config = Json(new
            {
                architecture = "amd64",
                os = "linux",
                config = new { Entrypoint = s_entrypoint, Labels = new { number = $"{i}" } },
                rootfs = new { type = "layers", diff_ids = new[] { diffId } },
            });
            var manifest = Json(new
            {
                schemaVersion = 2,
                mediaType = Manifest,
                config = Descriptor("application/vnd.oci.image.config.v1+json", config),
                layers = new[] { Descriptor("application/vnd.oci.image.layer.v1.tar+gzip", layer) },
            });
            AddBlob(tar, config);
            AddBlob(tar, manifest);
            foreach (var name in new[] { $"{nameOf(i)}:1", $"{nameOf(i)}@{DigestOf(manifest)}" })
                entries.Add(Entry(manifest, name));
        }

        Add(tar, "oci-layout", Json(new { imageLayoutVersion = "1.0.0" }));
        Add(tar, "index.json", Json(new { schemaVersion = 2, manifests = entries }));
    }

    private static Dictionary<string, object> Entry(byte[] manifest, string name) => new()
    {
        ["mediaType"] = Manifest,
        ["digest"] = DigestOf(manifest),
        ["size"] = manifest.Length,
        ["annotations"] = new Dictionary<string, string> { ["io.containerd.image.name"] = name },
    };

    private static object Descriptor(string mediaType, byte[] content) => new { mediaType, digest = DigestOf(content), size = content.Length };

    private static string DigestOf(byte[] content) => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(content))}";

    private static byte[] Json(object content) => JsonSerializer.SerializeToUtf8Bytes(content);

    private static void AddBlob(TarWriter tar, byte[] content) => Add(tar, $"blobs/sha256/{DigestOf(content)["sha256:".Length..]}", content);

    private static void Add(TarWriter tar, string name, byte[] content) =>
        tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) });
}
