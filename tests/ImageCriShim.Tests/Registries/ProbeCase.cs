using ImageCriShim.Images;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Registries.Connecting;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Registries;

/// <summary>A client that asks a fake registry, and what the tests about that share.</summary>
internal sealed class ProbeCase(
    TimeProvider? time = null, Func<string, string?>? environment = null, Platform? platform = null, NameLookup? lookUp = null) : IDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5); // the default probeTimeout

    public RegistryClient Client { get; } = new(time ?? TimeProvider.System, environment ?? (_ => null), platform ?? new Platform("linux", "amd64"), lookUp);

    public Task<ProbeResult> Ask(FakeRegistry fake, string image = "library/nginx:1.25", Credential? credential = null, TlsSettings? tls = null) =>
        Ask(fake.Address, image, credential, tls);

    public Task<ProbeResult> Ask(
        string address, string image = "library/nginx:1.25", Credential? credential = null, TlsSettings? tls = null, CredentialSource? source = null,
        CancellationToken? cancellation = null)
    {
        RegistryAddress.TryParse(address, out var parsed, out var problem).ShouldBeTrue(problem);
        source ??= credential is null ? null : new InlineCredential(credential, "auth");
        var registry = new Registry(parsed!) { Credentials = source, Tls = tls ?? TlsSettings.Default };
        Reference.TryParse($"{parsed!.Host}/{image}", out var name).ShouldBeTrue();
        return Client.Probe(registry, name, Patience, cancellation ?? TestContext.Current.CancellationToken);
    }

    public void Dispose() => Client.Dispose();
}
