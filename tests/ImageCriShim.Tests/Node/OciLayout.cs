using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Node;

/// <summary>A directory with images of one small file, in the form of the OCI image-layout specification.</summary>
internal sealed class OciLayout : IDisposable
{
    private const string ManifestType = "application/vnd.oci.image.manifest.v1+json";
    private const string IndexType = "application/vnd.oci.image.index.v1+json";

    private readonly TempDirectory directory = new();
    private readonly JsonArray entries = [];

    public OciLayout()
    {
        File.WriteAllText(directory.File("oci-layout"), """{"imageLayoutVersion":"1.0.0"}""");
        Directory.CreateDirectory(directory.File("blobs/sha256"));
    }

    public string Path => directory.Path;

    /// <returns>The digest of the image's manifest.</returns>
    public string AddImage(string tag, string content) => Enlist(tag, Manifest(content, "amd64"));

    /// <returns>The digest of the index.</returns>
    public string AddIndex(string tag, string content)
    {
        var manifests = new JsonArray(Manifest(content, "amd64"), Manifest(content, "arm64"));
        return Enlist(tag, Json(IndexType, new JsonObject { ["schemaVersion"] = 2, ["mediaType"] = IndexType, ["manifests"] = manifests }));
    }

    public void Dispose() => directory.Dispose();

    private string Enlist(string tag, JsonObject descriptor)
    {
        var entry = (JsonObject)descriptor.DeepClone();
        entry["annotations"] = new JsonObject { ["org.opencontainers.image.ref.name"] = tag };
        entries.Add(entry);
        File.WriteAllText(directory.File("index.json"), new JsonObject { ["schemaVersion"] = 2, ["manifests"] = entries.DeepClone() }.ToJsonString());
        return (string)descriptor["digest"]!;
    }

    private JsonObject Manifest(string content, string architecture)
    {
        var (layer, diffId) = Layer(content);
        var config = Json("application/vnd.oci.image.config.v1+json", new JsonObject
        {
            ["architecture"] = architecture,
            ["os"] = "linux",
            ["config"] = new JsonObject(),
            ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray(diffId) },
        });
        var manifest = Json(ManifestType, new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = ManifestType,
            ["config"] = config,
            ["layers"] = new JsonArray(layer),
        });
        manifest["platform"] = new JsonObject { ["architecture"] = architecture, ["os"] = "linux" };
        return manifest;
    }

    private (JsonObject Layer, string DiffId) Layer(string content)
    {
        using var tar = new MemoryStream();
        using (var writer = new TarWriter(tar, leaveOpen: true))
            writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "content") { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content)) });
        using var zipped = new MemoryStream();
        using (var gzip = new GZipStream(zipped, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(tar.ToArray());
        return (Blob("application/vnd.oci.image.layer.v1.tar+gzip", zipped.ToArray()), Digest(tar.ToArray()));
    }

    private JsonObject Json(string type, JsonObject value) => Blob(type, JsonSerializer.SerializeToUtf8Bytes(value));

    private JsonObject Blob(string type, byte[] bytes)
    {
        var digest = Digest(bytes);
        File.WriteAllBytes(directory.File($"blobs/{digest.Replace(':', '/')}"), bytes);
        return new JsonObject { ["mediaType"] = type, ["digest"] = digest, ["size"] = bytes.Length };
    }

    private static string Digest(byte[] bytes) => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(bytes))}";
}
