using System.Security.Cryptography.X509Certificates;
using ImageCriShim.Registries;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Registries;

namespace ImageCriShim.Tests.Node;

/// <summary>docker-registry that wants to see the certificate of whoever connects.</summary>
[Trait("suite", "node")]
public sealed class ClientCertificateTests : IAsyncLifetime
{
    private readonly FakeAuthority authority = new();
    private readonly FakeAuthority clients = new();
    private readonly ProbeCase probe = new();
    private RealRegistry? registry;

    private string Address => registry!.Address;

    public async ValueTask InitializeAsync()
    {
        using var certificate = authority.Issue(["127.0.0.1"]);
        registry = await RealRegistry.Start(new RealRegistry.Guard { Certificate = certificate, ClientAuthority = clients.Pem });
    }

    public async ValueTask DisposeAsync()
    {
        probe.Dispose();
        authority.Dispose();
        clients.Dispose();
        await registry!.DisposeAsync();
    }

    [Fact]
    public async Task With_the_certificate_that_it_wants_it_is_asked() =>
        (await probe.Ask(Address, tls: Showing(clients))).ShouldBeOfType<ProbeResult.Missing>();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Without_one_or_with_anothers_the_reason_says_so(bool hasAnother)
    {
        var tls = hasAnother ? Showing(authority) : new TlsSettings { Ca = authority.Pem };
        var result = await probe.Ask(Address, tls: tls);
        for (var i = 0; i < 20 && result.ToString().Contains("closed the connection"); i++)
            result = await probe.Ask(Address, tls: tls); // the registry's alert and the end of the connection race on its busy kernel

        result.ToString().ShouldBe("unreachable (it wants to see a client certificate that it believes (tls.cert and tls.key name ours))");
    }

    private TlsSettings Showing(FakeAuthority issuer)
    {
        using var certificate = issuer.IssueForClient("node-1");
        return new TlsSettings
        {
            Ca = authority.Pem,
            Certificate = certificate.ExportCertificatePem(),
            Key = certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem(),
        };
    }
}
