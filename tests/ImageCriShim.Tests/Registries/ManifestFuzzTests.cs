using System.Text;
using ImageCriShim.Images;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;

namespace ImageCriShim.Tests.Registries;

/// <summary>Whatever bytes come as a manifest or as an error, judging them ends in a result.</summary>
public sealed class ManifestFuzzTests
{
    private static readonly string[] s_seeds =
    [
        """{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"digest":"sha256:aa"},"layers":[{"size":1}]}""",
        """{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","platform":{"os":"linux","architecture":"arm","variant":"v7"},"annotations":{"vnd.docker.reference.type":"a"}},{"platform":{"os":"unknown","architecture":"unknown"}}]}""",
        """{"schemaVersion":1,"name":"library/nginx","fsLayers":[{"blobSum":"sha256:aa"}],"signatures":[]}""",
        """{"errors":[{"code":"DENIED","message":"token eyJhbGci at https://u:p@host/x?y=1","detail":[{"Type":"repository"}]}]}""",
    ];

    private static readonly string[] s_pieces =
        ["null", "[]", "{}", "\"", "\\", "\\ud800", "\u0000", "1e999", "-", ",", "]", "}", "[[[[[[[[", "\"manifests\":", "\"platform\":[],", "ÿ", "\\u0000"];

    private static readonly string?[] s_headers =
        [null, "text/plain", ManifestTypes.OciIndex, ManifestTypes.OciManifest, ManifestTypes.DockerList, ManifestTypes.DockerSchema1];

    [Fact]
    public void Mutated_manifests_and_errors_never_throw()
    {
        var random = new Random(20261122);
        Reference.TryParse($"a.local/b@sha512:{new string('a', 128)}", out var pinned).ShouldBeTrue();
        Reference.TryParse("a.local/b:1", out var tagged).ShouldBeTrue();
        for (var i = 0; i < 30_000; i++)
        {
            var body = Mutate(random, s_seeds[random.Next(s_seeds.Length)]);
            var image = random.Next(2) == 0 ? pinned : tagged;
            try
            {
                ManifestBody.Judge(body, s_headers[random.Next(s_headers.Length)], image, new Platform("linux", "amd64")).ToString().ShouldNotBeEmpty();
                (RegistryErrors.Find(body, SentSecrets.None, EchoedNames.None)?.Length ?? 0).ShouldBeLessThanOrEqualTo(203);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"round {i}: {Convert.ToBase64String(body)}", e);
            }
        }
    }

    private static byte[] Mutate(Random random, string seed)
    {
        var text = new StringBuilder(seed);
        for (var edits = random.Next(1, 5); edits > 0 && text.Length > 1; edits--)
        {
            var at = random.Next(text.Length);
            if (random.Next(3) == 0)
                text.Remove(at, random.Next(1, Math.Min(20, text.Length - at) + 1));
            else
                text.Insert(at, s_pieces[random.Next(s_pieces.Length)]);
        }
        var bytes = random.Next(2) == 0 ? Encoding.UTF8.GetBytes(text.ToString()) : Encoding.Latin1.GetBytes(text.ToString());
        if (bytes.Length > 0 && random.Next(4) == 0)
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        return bytes;
    }
}
