using ImageCriShim.Images;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Registries;

/// <summary>A client that asks a fake registry, and what the tests about that share.</summary>
internal sealed class ProbeCase(TimeProvider? time = null, Platform? platform = null) : IDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5); // the default probeTimeout

    private readonly RegistryClient client = new(time ?? TimeProvider.System, platform ?? new Platform("linux", "amd64"));

    public Task<ProbeResult> Ask(FakeRegistry fake, string image = "library/nginx:1.25", Credential? credential = null, TlsSettings? tls = null) =>
        Ask(fake.Address, image, credential, tls);

    public Task<ProbeResult> Ask(string address, string image = "library/nginx:1.25", Credential? credential = null, TlsSettings? tls = null)
    {
        RegistryAddress.TryParse(address, out var parsed, out var problem).ShouldBeTrue(problem);
        var registry = new Registry(parsed!) { Credentials = credential is null ? null : new InlineCredential(credential, "auth"), Tls = tls ?? TlsSettings.Default };
        Reference.TryParse($"{parsed!.Host}/{image}", out var name).ShouldBeTrue();
        return client.Probe(registry, name, Patience, TestContext.Current.CancellationToken);
    }

    public void Dispose() => client.Dispose();
}
