using ImageCriShim.Configuration;
using ImageCriShim.Registries;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Configuration;

/// <summary>A URL with a password or a token, or <c>user:password</c>, under a key for something else: the error says which, and does not quote it.</summary>
public sealed class SecretsUnderWrongKeys : IDisposable
{
    private readonly TempDirectory _directory = new(inMemory: true);

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("metrics: http://a:S3cret@h:1", "http://***@h:1 is not an address to listen on")]
    [InlineData("metrics: a:S3cret", "a:*** is not an address to listen on")]
    [InlineData("block: [\"a:S3cret\"]", "a:*** is not a pattern")]
    [InlineData("exclude: [\"https://a:S3cret@h/x\"]", "https://***@h/x is not a pattern")]
    [InlineData("timeout: a:S3cret@h", "***@h is not a duration")]
    [InlineData("offlineOnly: a:S3cret", "a:*** is neither true nor false")]
    [InlineData("cri: h?token=S3cret", "h?*** is not the path of a socket")]
    [InlineData("version: a:S3cret", "a:*** is not ")]
    [InlineData("image: h#S3cret", "h#*** is not an absolute path")]
    [InlineData("priority: a:S3cret", "")]
    [InlineData("offlinePriority: a:S3cret", "a:*** is not a whole number")]
    [InlineData("tls: {ca: \"a:S3cret\"}", "a:*** is not an absolute path")]
    [InlineData("registries: [{address: \"h.test?token=S3cret\"}]", "holds a query")]
    [InlineData("registries: [{address: \"h.test/x#S3cret\"}]", "holds a query")]
    [InlineData("registries: [{address: \"admin:S3cret\"}]", "admin:*** is not a host name")]
    [InlineData("registries: [{address: \"a:S3cret@h.test\"}]", "holds a user or password")]
    [InlineData("registries: [{address: \"h.test/a:S3cret\"}]", "a:*** cannot be the beginning of a repository")]
    [InlineData("registries: [{address: \"a:S3cret://h.test\"}]", "has the scheme a:***")]
    [InlineData("registries: [{address: h.test, path: \"a:S3cret\"}]", "a:*** is not a template")]
    [InlineData("registries: [{address: h.test, images: [\"a:S3cret\"]}]", "a:*** is not a pattern")]
    public void Are_not_quoted(string yaml, string said)
    {
        var path = _directory.File("image-cri-shim.yaml");
        File.WriteAllText(path, $"address: http://h\n{yaml}\n");
        var result = ConfigFile.Load(path);

        result.Settings.ShouldBeNull();
        result.Problems.ShouldContain(line => line.Contains(said, StringComparison.Ordinal), string.Join('\n', result.Problems));
        string.Join('\n', [.. result.Problems, .. result.Warnings, .. result.Notes]).ShouldNotContain("S3cret", Case.Insensitive);
    }

    [Theory]
    [InlineData("nginx")]
    [InlineData("h.test:5000/x")]
    [InlineData("unix:///run/x.sock")]
    [InlineData("[::1]:x")]
    [InlineData("h.test/x@sha256:0123")]
    [InlineData("10s")]
    [InlineData("tree/{tag}:x")]
    public void All_others_are(string value) => QuotedValue.Of(value).ShouldBe(value);
}
