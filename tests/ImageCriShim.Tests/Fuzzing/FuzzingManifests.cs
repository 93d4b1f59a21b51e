using System.Security.Cryptography;
using System.Text;
using ImageCriShim.Images;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;

namespace ImageCriShim.Tests.Fuzzing;

/// <summary>
/// What a registry sends as a manifest, an index or an error: an octet that chooses what is stated beside it and what was asked for, then the
/// body. It is the image with the digest that was asked for, or it is not used; what is told of it is one short line.
/// </summary>
public sealed class FuzzingManifests : FuzzTarget
{
    private const string Secret = "s3cretPassw0rd";

    private static readonly SentSecrets s_sent = SentSecrets.Of(new Credential.Password("admin", Secret));

    private static readonly string?[] s_headers =
        [null, "text/plain", ManifestTypes.OciIndex, ManifestTypes.OciManifest, ManifestTypes.DockerList, ManifestTypes.DockerManifest,
        ManifestTypes.DockerSchema1, "application/vnd.docker.distribution.manifest.v1+prettyjws"];

    private static readonly Platform[] s_platforms = [new("linux", "amd64", "v4"), new("linux", "arm64", "v9"), new("linux", "arm", "v7"),
        new("linux", "s390x")];

    protected override string Name => "manifests";

    protected override IReadOnlyList<byte[]> Words { get; } = Texts(
        "{", "}", "[", "]", "[[[[[[[[", "{\"a\":{\"a\":", "null", "true", "-1", "1e999", "\"", "\\", "\\ud800", "\\u0000", ",", ":",
        "\"schemaVersion\":2,", "\"mediaType\":\"" + ManifestTypes.OciIndex + "\",",
        "\"mediaType\":\"" + ManifestTypes.OciManifest + "\",", "\"mediaType\":\"" + ManifestTypes.DockerSchema1 + "\",", "\"mediaType\":",
        "\"manifests\":[", "\"config\":{}", "\"layers\":[]", "\"fsLayers\":[]",
        "{\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}}",
        "{\"platform\":{\"os\":\"linux\",\"architecture\":\"arm\",\"variant\":\"v7\"}}", "\"platform\":", "\"os\":\"windows\"",
        "\"variant\":\"v8.1\"",
        "\"annotations\":{\"vnd.docker.reference.type\":\"a\"}", "\"unknown\"", "\"errors\":[{\"code\":\"DENIED\",\"message\":\"", Secret,
        "admin:" + Secret, "Bearer eyJhbGciOi", "https://u:p@host/x?sig=abc", "é\u0001", "\r\n");

    private protected override string Take(byte[] input)
    {
        var choice = input.Length == 0 ? 0 : input[0];
        var body = input[Math.Min(1, input.Length)..];
        var (header, platform) = (s_headers[choice & 7], s_platforms[choice >> 3 & 3]);
        var asked = (choice >> 5) switch
        {
            0 => "sha256:" + Hex(SHA256.HashData(body)),
            1 => "sha512:" + Hex(SHA512.HashData(body)),
            2 => "sha256:" + new string('a', 64),
            _ => null,
        };
        Reference.TryParse($"a.local/b{(asked is null ? ":1" : "@" + asked)}", out var image).ShouldBeTrue();
        var result = Judge(body, header, image, platform);
        Holds(result is not ProbeResult.Found found || (found.Digest == (asked ?? "sha256:" + Hex(SHA256.HashData(body)))
            && ManifestTypes.IsUsable(found.MediaType)), "another image");
        IsShown($"{result}");
        var words = RegistryErrors.Find(body, s_sent, EchoedNames.None);
        IsShown(words ?? "");
        return $"{choice & 7} {Template($"{result}"[..Math.Min(60, $"{result}".Length)])} {Shape(words ?? "-", 6)}";
    }

    private static ProbeResult Judge(byte[] body, string? header, Reference image, Platform platform)
    {
        const int fixedBytes = 64 * 1024, bytesOfAnOctet = 256; // the shortest entry of an index has two octets
        var before = GC.GetAllocatedBytesForCurrentThread();
        var result = ManifestBody.Judge(body, header, image, platform);
        Holds(GC.GetAllocatedBytesForCurrentThread() - before < fixedBytes + (long)bytesOfAnOctet * body.Length, "takes too much memory");
        return result;
    }

    private static void IsShown(string line)
    {
        Holds(line.Length <= 500 && line.EnumerateRunes().All(PrintableText.IsPrintable), "cannot be shown");
        Holds(!line.Contains(Secret, StringComparison.Ordinal)
            && !line.Contains(Convert.ToBase64String(Encoding.UTF8.GetBytes("admin:" + Secret)), StringComparison.Ordinal), "shows a secret");
    }

    private static string Hex(byte[] hash) => Convert.ToHexStringLower(hash);
}
