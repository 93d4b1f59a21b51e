using System.Security.Cryptography.X509Certificates;
using ImageCriShim.Registries;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Registries;

public sealed class TlsTests : IDisposable
{
    private readonly FakeAuthority authority = new();
    private readonly ProbeCase probe = new();

    public void Dispose()
    {
        probe.Dispose();
        authority.Dispose();
    }

    [Fact]
    public async Task A_certificate_of_the_private_authority_is_believed()
    {
        using var certificate = authority.Issue(["127.0.0.1"]);
        await using var registry = Start(certificate);

        (await probe.Ask(registry, tls: new TlsSettings { Ca = authority.Pem })).ShouldBeOfType<ProbeResult.Found>();
    }

    [Fact]
    public async Task Without_the_authority_it_is_not_and_the_remedy_is_named()
    {
        using var certificate = authority.Issue(["127.0.0.1"]);
        await using var registry = Start(certificate);

        (await probe.Ask(registry)).ToString()
            .ShouldBe("unreachable (its TLS certificate is signed by an unknown authority (tls.ca names one))");
        registry.Requests.ShouldBeEmpty();
    }

    /// <summary>Whoever is in between could answer there: the certificate proves nothing of it.</summary>
    [Theory]
    [InlineData(301)]
    [InlineData(307)]
    public async Task A_redirect_to_plain_http_is_not_believed(int status)
    {
        using var certificate = authority.Issue(["127.0.0.1"]);
        await using var registry = Start(certificate);
        await using var plain = FakeRegistry.Start();
        plain.Add("library/nginx", "1.25");
        registry.Behave = request => FakeAnswer.RedirectTo(plain.Address + request.Path, status);
        foreach (var tls in (TlsSettings[])[new() { Ca = authority.Pem }, new() { InsecureSkipVerify = true }])
        {
            (await probe.Ask(registry, tls: tls)).ToString()
                .ShouldBe($"unreachable (HTTP {status}, a redirect from https to plain http, where anybody could answer)");
        }

        plain.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Nor_is_one_by_a_detour_over_another_host_with_https()
    {
        using var certificate = authority.Issue(["127.0.0.1"]);
        await using var registry = Start(certificate);
        await using var detour = Start(certificate);
        await using var plain = FakeRegistry.Start();
        plain.Add("library/nginx", "1.25");
        registry.Behave = request => FakeAnswer.RedirectTo(detour.Address + request.Path);
        detour.Behave = request => FakeAnswer.RedirectTo(plain.Address + request.Path);

        (await probe.Ask(registry, tls: new TlsSettings { Ca = authority.Pem })).ShouldBeOfType<ProbeResult.Unreachable>();

        plain.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task One_from_plain_http_to_https_is()
    {
        using var certificate = authority.Issue(["127.0.0.1"]);
        await using var secure = Start(certificate);
        await using var registry = FakeRegistry.Start();
        registry.Behave = request => FakeAnswer.RedirectTo(secure.Address + request.Path);

        (await probe.Ask(registry, tls: new TlsSettings { Ca = authority.Pem })).ShouldBeOfType<ProbeResult.Found>();
    }

    [Fact]
    public async Task Another_authority_does_not_help()
    {
        using var other = new FakeAuthority();
        using var certificate = authority.Issue(["127.0.0.1"]);
        await using var registry = Start(certificate);

        (await probe.Ask(registry, tls: new TlsSettings { Ca = other.Pem })).ToString().ShouldContain("unknown authority");
    }

    [Fact]
    public async Task A_certificate_for_another_name_is_not_believed_even_with_the_authority()
    {
        using var certificate = authority.Issue(["registry.corp", "10.0.0.7"]);
        await using var registry = Start(certificate);

        (await probe.Ask(registry, tls: new TlsSettings { Ca = authority.Pem })).ToString()
            .ShouldBe("unreachable (its TLS certificate is for registry.corp, 10.0.0.7)");
    }

    [Fact]
    public async Task A_certificate_that_ran_out_is_said_to_have()
    {
        using var certificate = authority.Issue(["127.0.0.1"], until: DateTimeOffset.UtcNow.AddDays(-1));
        await using var registry = Start(certificate);

        (await probe.Ask(registry, tls: new TlsSettings { Ca = authority.Pem })).ToString()
            .ShouldBe("unreachable (its TLS certificate is out of date, or this node's clock is wrong)");
    }

    [Fact]
    public async Task A_clients_certificate_does_not_make_a_server()
    {
        using var certificate = authority.IssueForClient("127.0.0.1");
        await using var registry = Start(certificate);

        (await probe.Ask(registry, tls: new TlsSettings { Ca = authority.Pem })).ShouldBeOfType<ProbeResult.Unreachable>();
    }

    [Fact]
    public async Task InsecureSkipVerify_believes_anything()
    {
        using var certificate = authority.Issue(["registry.corp"]);
        await using var registry = Start(certificate);

        (await probe.Ask(registry, tls: new TlsSettings { InsecureSkipVerify = true })).ShouldBeOfType<ProbeResult.Found>();
    }

    [Fact]
    public async Task InsecureSkipVerify_does_not_extend_to_a_host_that_is_redirected_to()
    {
        using var certificate = authority.Issue(["127.0.0.1"]);
        await using var registry = Start(certificate);
        await using var elsewhere = Start(certificate);
        registry.Behave = request => FakeAnswer.RedirectTo(elsewhere.Address + request.Path);

        (await probe.Ask(registry, tls: new TlsSettings { InsecureSkipVerify = true })).ToString().ShouldContain("unknown authority");
        elsewhere.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Our_own_certificate_is_shown_to_a_registry_that_asks()
    {
        using var certificate = authority.Issue(["127.0.0.1"]);
        using var ours = authority.IssueForClient("node-1");
        await using var registry = Start(certificate, asksForClientCertificate: true);
        var tls = new TlsSettings
        {
            Ca = authority.Pem,
            Certificate = ours.ExportCertificatePem(),
            Key = ours.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem(),
        };

        (await probe.Ask(registry, tls: tls)).ShouldBeOfType<ProbeResult.Found>();
        (await probe.Ask(registry, tls: tls with { Certificate = null, Key = null })).ShouldBeOfType<ProbeResult.Unreachable>();
    }

    private static FakeRegistry Start(X509Certificate2 certificate, bool asksForClientCertificate = false)
    {
        var registry = FakeRegistry.StartWithTls(certificate, asksForClientCertificate);
        registry.Add("library/nginx", "1.25");
        return registry;
    }
}
