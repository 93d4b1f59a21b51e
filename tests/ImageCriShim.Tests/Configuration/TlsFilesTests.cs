using System.Security.Cryptography.X509Certificates;
using ImageCriShim.Configuration;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Configuration;

public sealed class TlsFilesTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("tls").FullName;
    private readonly FakeAuthority authority = new();

    public void Dispose()
    {
        Directory.Delete(folder, recursive: true);
        authority.Dispose();
    }

    [Fact]
    public void Sound_files_become_part_of_the_settings()
    {
        using var certificate = authority.IssueForClient("node-1");
        var ca = Write("ca.pem", authority.Pem);
        var cert = Write("cert.pem", certificate.ExportCertificatePem());
        var key = Write("key.pem", certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());

        var result = Load($"tls: {{ca: {ca}, cert: {cert}, key: {key}}}");

        var tls = result.Settings.ShouldNotBeNull().Offline.Tls;
        tls.LoadCa().Count.ShouldBe(1);
        using var loaded = tls.LoadCertificate().ShouldNotBeNull();
        loaded.HasPrivateKey.ShouldBeTrue();
        tls.ToString().ShouldNotContain("PRIVATE");
    }

    [Fact]
    public void A_file_without_a_certificate_is_a_problem() =>
        Load($"tls: {{ca: {Write("ca.pem", "hello")}}}").Problems
            .ShouldBe(["tls.ca (shim.yaml:2): holds no certificate in PEM form; use the absolute path of a PEM file"]);

    [Fact]
    public void A_key_of_another_certificate_is_a_problem()
    {
        using var one = authority.IssueForClient("one");
        using var other = authority.IssueForClient("other");
        var cert = Write("cert.pem", one.ExportCertificatePem());
        var key = Write("key.pem", other.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());

        Load($"tls: {{cert: {cert}, key: {key}}}").Problems.ShouldHaveSingleItem().ShouldStartWith("tls.cert (shim.yaml:2): ");
    }

    [Fact]
    public void A_file_that_is_not_there_is_a_problem() =>
        Load("tls: {ca: /nonexistent/ca.pem}").Problems
            .ShouldBe(["tls.ca (shim.yaml:2): /nonexistent/ca.pem does not exist; use the absolute path of a PEM file"]);

    [Fact]
    public void A_config_file_that_is_not_there_is_a_problem() =>
        ConfigFile.Load("/nonexistent/shim.yaml").Problems.ShouldBe(["shim.yaml: /nonexistent/shim.yaml does not exist"]);

    private ConfigResult Load(string tls) => ConfigFile.Load(Write("shim.yaml", $"address: sealos.hub:5000\n{tls}\n"));

    private string Write(string name, string text)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllText(path, text);
        return path;
    }
}
