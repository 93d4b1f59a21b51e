using ImageCriShim.Configuration;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Configuration;

/// <summary>The commonest mistakes of the golden files: whoever does what the report says has a file that nothing is said against.</summary>
public sealed class RemedyTests : IDisposable
{
    private readonly TempDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("tab-indent", "use spaces", "\t", "  ")]
    [InlineData("tab-before-value", "use spaces", "\t", "  ")]
    [InlineData("address-with-other-scheme", "with http:// or https:// in front", "docker://", "https://")]
    [InlineData("address-without-dot", "add the port, registry:443", "registry", "registry:443")]
    [InlineData("address-with-password", "put them into auth", "https://admin:passw0rd@sealos.hub:5000", "https://sealos.hub:5000\nauth: admin:passw0rd")]
    [InlineData("auth-without-colon", "use user:password", "passw0rd", "admin:passw0rd")]
    [InlineData("registry-twice", "stands there twice", "- address: https://mirror.corp/\n  auth: v:q\n", "")]
    [InlineData("registries-not-indented", "begin each entry of a list with a dash", "\naddress: mirror", "\n- address: mirror")]
    [InlineData("registries-a-map", "use a list of entries, each with an address", "  address: mirror", "- address: mirror")]
    [InlineData("registry-keys-apart", "indent it like the other keys of its entry", "\nauth: u:p\npriority: 7", "\n  auth: u:p\n  priority: 7")]
    [InlineData("unknown-key", "did you mean timeout?", "timeuot", "timeout")]
    [InlineData("unknown-key-in-registry", "did you mean priority?", "prioritiy: 5\n  insecure: true", "priority: 5")]
    [InlineData("negative-priority", "use 0 to 10000", "-5", "5")]
    [InlineData("duration-without-unit", "a number with a unit", "timeout: 15\nprobeTimeout: 5 s", "timeout: 15s\nprobeTimeout: 5s")]
    [InlineData("alias-for-a-password", "must be in quotes", "*passw0rd", "\"*passw0rd\"")]
    [InlineData("two-documents", "use one", "---\naddress: other.hub\n", "")]
    public void Doing_what_the_report_says_mends_the_file(string golden, string remedy, string instead, string by)
    {
        var text = File.ReadAllText(Path.Combine(GoldenTests.Folder, $"{golden}.yaml"));
        Report(text).ShouldContain(line => line.Contains(remedy));
        text.ShouldContain(instead, Case.Sensitive);
        Report(text.Replace(instead, by)).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("secret-file-missing", "/nonexistent/password is not there", "/nonexistent/password", "passw0rd")]
    [InlineData("ca-missing", "/nonexistent/ca.crt does not exist", "/nonexistent/ca.crt", Certificate)]
    [InlineData("ca-no-certificate", "holds no certificate in PEM form", "/etc/passwd", Certificate)]
    public void Putting_the_file_there_that_the_report_misses_mends_it(string golden, string remedy, string instead, string content)
    {
        var text = File.ReadAllText(Path.Combine(GoldenTests.Folder, $"{golden}.yaml"));
        Report(text).ShouldContain(line => line.Contains(remedy));
        var file = _folder.File("named");
        File.WriteAllText(file, content == Certificate ? new FakeAuthority().Pem : content);
        File.SetUnixFileMode(file, UnixFileMode.UserRead);
        Report(text.Replace(instead, file)).ShouldBeEmpty();
    }

    private const string Certificate = "certificate";

    private List<string> Report(string yaml)
    {
        var file = _folder.File("shim.yaml");
        File.WriteAllText(file, yaml);
        var config = ConfigFile.Load(file);
        return [.. config.Problems, .. config.Warnings];
    }
}
