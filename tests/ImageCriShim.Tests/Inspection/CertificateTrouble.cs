using System.Security.Cryptography.X509Certificates;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Inspection;

public sealed class CertificateTrouble : NodeTest
{
    private readonly FakeAuthority _authority = new();

    [Fact]
    public async Task An_expired_one_is_said_to_be_so_since_when_and_whose_it_is()
    {
        await Serve(_authority.Issue(["hub.corp"], DateTimeOffset.UtcNow.AddDays(-1)));
        Configure($"tls: {{ca: {CaFile}}}\n");
        TellRuntime();
        (await Node.Complaints()).ShouldBe("""
            problem  registry https://hub.corp:5000: its TLS certificate cannot be used: CN=hub.corp, signed by CN=Fake Authority, expired on DATE
                     - have whoever runs hub.corp:5000 renew it; if it is not that late, set this node's clock

            1 to mend

            """);
        await Serve(_authority.Issue(["hub.corp"]));
        Configure($"tls: {{ca: {CaFile}}}\n");
        TellRuntime();
        (await Node.Complaints()).ShouldBe(NothingToMend);
    }

    [Fact]
    public async Task One_of_an_authority_that_nobody_has_named()
    {
        await Serve(_authority.Issue(["hub.corp"]));
        Configure();
        (await Node.Complaints()).ShouldBe("""
            problem  registry https://hub.corp:5000: its TLS certificate is signed by CN=Fake Authority, which this node does not know
                     - have the certificate of CN=Fake Authority from whoever runs hub.corp:5000, and name its file: tls: {ca: /etc/ssl/hub.corp-5000.crt} (image-cri-shim.yaml:4)

            1 to mend

            """);
        Configure($"tls: {{ca: {CaFile}}}\n");
        await Node.Mend(); // the runtime
        (await Node.Complaints()).ShouldBe(NothingToMend);
    }

    [Fact]
    public async Task One_for_another_name()
    {
        await Serve(_authority.Issue(["old.corp"]));
        Configure($"tls: {{ca: {CaFile}}}\n");
        (await Node.Complaints()).ShouldStartWith("""
            problem  registry https://hub.corp:5000: its TLS certificate is for old.corp (asked over the proxy PROXY)
                     - have whoever runs hub.corp:5000 give it a certificate for that name, or write the name that it has into address (image-cri-shim.yaml:4)
            """);
    }

    [Fact]
    public async Task One_that_has_its_name_only_as_CN()
    {
        await Serve(_authority.Issue(["hub.corp"], hasAlternatives: false));
        Configure($"tls: {{ca: {CaFile}}}\n");
        (await Node.Complaints()).ShouldStartWith("""
            problem  registry https://hub.corp:5000: its TLS certificate has its name only as CN=hub.corp, which no runtime reads any more; it needs the subject alternative name DNS:hub.corp (asked over the proxy PROXY)
                     - have whoever runs hub.corp:5000 issue it anew with subjectAltName=DNS:hub.corp
            """);
    }

    [Fact]
    public async Task None_is_needed_for_plain_http()
    {
        await Serve(_authority.Issue(["hub.corp"]));
        Node.Configure($"address: http://{PreparedNode.HubName}\nauth: admin:{PreparedNode.Password}\n");
        Node.Hub.Account = ("admin", PreparedNode.Password);
        (await Node.Complaints()).ShouldStartWith("""
            problem  registry http://hub.corp:5000: speaks https, and the address says http
                     - write address: https://hub.corp:5000 (image-cri-shim.yaml:4)
            """);
        Node.Hub.Requests.ShouldAllBe(request => request.Authorization == null);
    }

    [Fact]
    public async Task The_runtime_has_to_know_a_private_authority_too()
    {
        await Serve(_authority.Issue(["hub.corp"]));
        Configure($"tls: {{ca: {CaFile}}}\n");
        await ShouldSayAndBeMended("""
            problem  containerd and hub.corp:5000: is not set up for a private authority, so pulls from there fail
                     - write ROOT/etc/containerd/certs.d/hub.corp:5000/hosts.toml:
                         server = "https://hub.corp:5000"

                         [host."https://hub.corp:5000"]
                           capabilities = ["pull", "resolve"]
                           ca = "DIR/ca.pem"

            1 to mend

            """);
    }

    [Fact]
    public async Task Several_authorities_are_for_the_runtime_too()
    {
        await Serve(_authority.Issue(["hub.corp"]));
        File.Copy(CaFile, Node.Directory.File("other.pem"));
        Configure($"tls: {{ca: [{CaFile}, {Node.Directory.File("other.pem")}]}}\n");
        await ShouldSayAndBeMended("""
            problem  containerd and hub.corp:5000: is not set up for a private authority, so pulls from there fail
                     - write ROOT/etc/containerd/certs.d/hub.corp:5000/hosts.toml:
                         server = "https://hub.corp:5000"

                         [host."https://hub.corp:5000"]
                           capabilities = ["pull", "resolve"]
                           ca = ["DIR/ca.pem", "DIR/other.pem"]

            1 to mend

            """);
    }

    [Fact]
    public async Task And_whom_not_to_verify()
    {
        await Serve(_authority.Issue(["another.corp"]));
        Configure("tls: {insecureSkipVerify: true}\n");
        await ShouldSayAndBeMended("""
            problem  containerd and hub.corp:5000: is not set up for a certificate that is not to be verified, so pulls from there fail
                     - write ROOT/etc/containerd/certs.d/hub.corp:5000/hosts.toml:
                         server = "https://hub.corp:5000"

                         [host."https://hub.corp:5000"]
                           capabilities = ["pull", "resolve"]
                           skip_verify = true

            1 to mend

            """);
    }

    private string CaFile => Node.Directory.File("ca.pem");

    private async Task Serve(X509Certificate2 certificate)
    {
        await Node.DisposeAsync();
        Node = new PreparedNode(FakeRegistry.StartWithTls(certificate));
        File.WriteAllText(CaFile, _authority.Pem);
        File.Delete(Node.FileOf($"/etc/containerd/certs.d/{PreparedNode.HubName}/hosts.toml"));
        Directory.Delete(Node.FileOf($"/etc/containerd/certs.d/{PreparedNode.HubName}"));
    }

    private void TellRuntime() =>
        Node.WriteFile($"/etc/containerd/certs.d/{PreparedNode.HubName}/hosts.toml", $"[host.\"https://{PreparedNode.HubName}\"]\n  ca = \"{CaFile}\"\n");

    private void Configure(string yaml = "") => Node.Configure($"address: https://{PreparedNode.HubName}\n{yaml}");
}
