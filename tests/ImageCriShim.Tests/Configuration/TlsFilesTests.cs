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

    [Theory]
    [InlineData("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 1)]
    [InlineData("# ours\n\n-----BEGIN CERTIFICATE-----\nno base64!\n-----END CERTIFICATE-----\n", 3)]
    [InlineData("-----BEGIN CERTIFICATE-----\nMIIB\n", 1)] // it has no end
    [InlineData("-----BEGIN CERTIFICATE-----\r\n\r\n-----END CERTIFICATE-----\r\n", 1)]
    public void A_bad_block_in_a_bundle_is_a_warning_that_names_its_line(string bad, int line)
    {
        var ca = Write("ca.pem", $"{bad}{authority.Pem}\n");

        var result = Load($"tls: {{ca: {ca}}}");

        result.Warnings.ShouldBe([$"tls.ca (shim.yaml:2): line {line} of {ca} begins a certificate that cannot be read; the others are used"]);
        result.Settings.ShouldNotBeNull().Offline.Tls.LoadCa().Count.ShouldBe(1);
    }

    [Fact]
    public void What_is_no_certificate_is_passed_over_in_a_bundle()
    {
        var key = authority.IssueForClient("node-1").GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem();
        var ca = Write("ca.pem", $"Subject: CN=Ours\n{key}\n{authority.Pem}\ntrailing\n");

        var result = Load($"tls: {{ca: {ca}}}");

        result.Warnings.ShouldBeEmpty();
        result.Settings.ShouldNotBeNull().Offline.Tls.LoadCa().Count.ShouldBe(1);
    }

    [Fact]
    public void If_all_are_bad_there_is_no_authority() =>
        Load($"tls: {{ca: {Write("ca.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")}}}").Problems
            .ShouldBe(["tls.ca (shim.yaml:2): holds no certificate in PEM form; use the absolute path of a PEM file"]);

    [Fact]
    public void A_bad_block_behind_our_own_certificate_is_a_warning_too()
    {
        using var certificate = authority.IssueForClient("node-1");
        var cert = Write("cert.pem", $"{certificate.ExportCertificatePem()}\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        var key = Write("key.pem", certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());

        var result = Load($"tls: {{cert: {cert}, key: {key}}}");

        result.Warnings.ShouldHaveSingleItem().ShouldStartWith("tls.cert (shim.yaml:2): line ");
        result.Settings.ShouldNotBeNull().Offline.Tls.LoadCertificateChain().Count.ShouldBe(0);
    }

    public static TheoryData<string> EncryptedKeys()
    {
        using var key = System.Security.Cryptography.RSA.Create(2048);
        var parameters = new System.Security.Cryptography.PbeParameters(
            System.Security.Cryptography.PbeEncryptionAlgorithm.Aes128Cbc, System.Security.Cryptography.HashAlgorithmName.SHA256, 1000);
        return
        [
            key.ExportEncryptedPkcs8PrivateKeyPem("secret", parameters),
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n",
            "-----BEGIN EC PRIVATE KEY-----\r\nProc-Type: 4,ENCRYPTED\r\nDEK-Info: AES-256-CBC,00\r\n\r\nAAAA\r\n-----END EC PRIVATE KEY-----\r\n",
        ];
    }

    [Theory]
    [MemberData(nameof(EncryptedKeys))]
    public void An_encrypted_key_is_said_to_be_encrypted(string pem)
    {
        const string why = "holds a key that is encrypted, and nobody is there to type its passphrase; write it out without: openssl pkey -in KEY -out KEY.plain && chmod 0600 KEY.plain";
        using var certificate = authority.IssueForClient("node-1");
        var cert = Write("cert.pem", certificate.ExportCertificatePem());
        var both = Write("both.pem", $"{certificate.ExportCertificatePem()}\n{pem}");

        Load($"tls: {{cert: {cert}, key: {Write("key.pem", pem)}}}").Problems.ShouldBe([$"tls.key (shim.yaml:2): {why}"]);
        Load($"tls: {{cert: {both}}}").Problems.ShouldBe([$"tls.cert (shim.yaml:2): {why}"]);
    }

    private ConfigResult Load(string tls) => ConfigFile.Load(Write("shim.yaml", $"address: sealos.hub:5000\n{tls}\n"));

    private string Write(string name, string text)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllText(path, text);
        return path;
    }
}
