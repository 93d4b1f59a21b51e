using ImageCriShim.Configuration;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Configuration;

/// <summary><c>auth:admin:S3cret</c>: without the space behind the colon it is one word to YAML, and no line may show more of it than the key.</summary>
public sealed class MissingSpaces : IDisposable
{
    private const string Secret = "S3cret";

    private readonly TempDirectory _directory = new(inMemory: true);

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("{address: http://h, auth:admin:S3cret}", "auth (image-cri-shim.yaml:1): unknown key; put a space behind the colon; did you mean auth: ...?")]
    [InlineData("address: http://h\nauth:admin: S3cret\n", "auth (image-cri-shim.yaml:2): unknown key; put a space behind the colon; did you mean auth: ...?")]
    [InlineData("address: http://h\nauth:admin:S3cret:\n", "auth (image-cri-shim.yaml:2): unknown key; put a space behind the colon; did you mean auth: ...?")]
    [InlineData("address: http://h\nregistries:\n- {address: http://i, password:S3cret}\n", "registries[0].password (image-cri-shim.yaml:3): unknown key; put a space behind the colon; did you mean password: ...?")]
    [InlineData("address: http://h\n\"S3cret!:x\": y\n", "image-cri-shim.yaml:2: unknown key; put a space behind the colon of a key; known keys: ")]
    [InlineData("address: http://h\n\"my S3cret\": y\n", "image-cri-shim.yaml:2: unknown key; known keys: ")]
    [InlineData("address: http://h\nadmin@S3cret: y\n", "image-cri-shim.yaml:2: unknown key; known keys: ")]
    [InlineData("{address: http://h, auth:admin:S3cret, auth:admin:S3cret}", "image-cri-shim.yaml:1: is not YAML: the key auth stands there twice")]
    [InlineData("address: http://h\ntimeout: 5s\n  auth:admin:S3cret\n", "timeout (image-cri-shim.yaml:2): holds auth: as well; write that on a line of its own")]
    [InlineData("address: http://h\n  auth:admin:S3cret\n", "address (image-cri-shim.yaml:1): holds auth: as well")]
    [InlineData("address: h auth:admin:S3cret\n", "address (image-cri-shim.yaml:1): holds auth: as well")]
    [InlineData("address: http://h\nblock: [\"a password:S3cret\"]\n", "block[0] (image-cri-shim.yaml:2): this is not a pattern")]
    [InlineData("address: http://h\nmetrics: off\n  registryToken:S3cret\n", "metrics (image-cri-shim.yaml:2): holds registryToken: as well")]
    [InlineData("address: http://h\nauth:admin:S3cret\n", "image-cri-shim.yaml:")] // no YAML at all
    [InlineData("auth:admin:S3cret", "image-cri-shim.yaml:1: ")]
    public void Show_the_key_and_nothing_behind_it(string yaml, string said)
    {
        var path = _directory.File("image-cri-shim.yaml");
        File.WriteAllText(path, yaml);
        var result = ConfigFile.Load(path);

        result.Settings.ShouldBeNull();
        result.Problems.ShouldContain(line => line.StartsWith(said, StringComparison.Ordinal), string.Join('\n', result.Problems));
        string.Join('\n', [.. result.Problems, .. result.Warnings, .. result.Notes]).ShouldNotContain(Secret, Case.Insensitive);
    }

    [Theory]
    [InlineData("adress: http://h\n", "adress (image-cri-shim.yaml:1): unknown key; did you mean address?")]
    [InlineData("address: http://h\nquite_different.key-2: x\n", "quite_different.key-2 (image-cri-shim.yaml:2): unknown key; known keys: ")]
    public void A_key_that_looks_like_one_is_shown(string yaml, string said)
    {
        var path = _directory.File("image-cri-shim.yaml");
        File.WriteAllText(path, yaml);
        ConfigFile.Load(path).Problems.ShouldContain(line => line.StartsWith(said, StringComparison.Ordinal));
    }
}
