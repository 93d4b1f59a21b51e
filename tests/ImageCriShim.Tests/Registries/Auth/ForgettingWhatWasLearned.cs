using System.Security.Cryptography.X509Certificates;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Registries.Auth;

/// <summary>
/// Whom a registry wants its tokens from is believed of the entry that was told so, with its TLS settings: another may not have been verified.
/// </summary>
public sealed class ForgettingWhatWasLearned : IAsyncLifetime
{
    private static readonly Credential s_secret = new Credential.Password("admin", "planted-secret");
    private static readonly TlsSettings s_unverified = new() { InsecureSkipVerify = true };

    private readonly FakeAuthority _authority = new();
    private readonly FakeRegistry _registry;
    private readonly FakeTokenServer _evil; // whose realm somebody in between names
    private readonly FakeTokenServer _good;
    private readonly ProbeCase _probe = new();
    private bool _isInBetween = true;

    public ForgettingWhatWasLearned()
    {
        _registry = FakeRegistry.StartWithTls(_authority.Issue(["127.0.0.1"]));
        (_evil, _good) = (FakeTokenServer.Start(_authority.Issue(["127.0.0.1"])), FakeTokenServer.Start(_authority.Issue(["127.0.0.1"])));
        _registry.Add("library/nginx", "1.25");
        _registry.Behave = request => (_isInBetween ? _evil : _good).Guard(request);
    }

    private TlsSettings Verified => new() { Ca = _authority.Pem };

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        _probe.Dispose();
        _authority.Dispose();
        await _registry.DisposeAsync();
        await _evil.DisposeAsync();
        await _good.DisposeAsync();
    }

    [Fact]
    public async Task What_one_who_was_not_verified_named_gets_nothing_of_one_who_was()
    {
        // Its own authority, so that the token server of the first is believed as well.
        await _probe.Ask(_registry, credential: s_secret, tls: Verified with { InsecureSkipVerify = true });
        _evil.Requests.Count.ShouldBe(1);
        _isInBetween = false;

        (await _probe.Ask(_registry, credential: s_secret, tls: Verified)).ShouldBeOfType<ProbeResult.Found>();

        _evil.Requests.Count.ShouldBe(1);
        _good.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Nor_of_one_with_another_certificate_of_ours()
    {
        _isInBetween = false;
        using var client = _authority.IssueForClient("node");
        var other = Verified with { Certificate = client.ExportCertificatePem(), Key = client.GetECDsaPrivateKey()!.ExportECPrivateKeyPem() };
        await _probe.Ask(_registry, credential: s_secret, tls: other);
        var asked = _good.Requests.Count;

        await _probe.Ask(_registry, credential: s_secret, tls: Verified);

        _good.Requests.Count.ShouldBe(asked + 1); // a token of its own
    }

    [Fact]
    public async Task A_reload_forgets_it_of_an_entry_whose_credential_is_another_and_of_no_other()
    {
        _isInBetween = false;
        await _probe.Ask(_registry, credential: s_secret, tls: Verified);
        var (registry, tokens) = (_registry.Requests.Count, _good.Requests.Count);

        _probe.Client.Keep([Entry(s_secret)], [Entry(s_secret), Configured("http://127.0.0.1:1", null, TlsSettings.Default)]);
        await _probe.Ask(_registry, credential: s_secret, tls: Verified);
        (_registry.Requests.Count, _good.Requests.Count).ShouldBe((registry + 1, tokens)); // one request, with the token that is known

        _probe.Client.Keep([Entry(s_secret)], [Entry(new Credential.Password("admin", "another"))]);
        await _probe.Ask(_registry, credential: s_secret, tls: Verified);
        (_registry.Requests.Count, _good.Requests.Count).ShouldBe((registry + 3, tokens + 1));
    }

    [Fact]
    public async Task Or_whose_TLS_is_another()
    {
        _isInBetween = false;
        await _probe.Ask(_registry, credential: s_secret, tls: Verified);
        var tokens = _good.Requests.Count;

        _probe.Client.Keep([Entry(s_secret)], [Configured(_registry.Address, s_secret, s_unverified)]);
        _probe.Client.Keep([Configured(_registry.Address, s_secret, s_unverified)], [Entry(s_secret)]);

        await _probe.Ask(_registry, credential: s_secret, tls: Verified);
        _good.Requests.Count.ShouldBe(tokens + 1);
    }

    private Registry Entry(Credential credential) => Configured(_registry.Address, credential, Verified);

    private static Registry Configured(string address, Credential? credential, TlsSettings tls)
    {
        RegistryAddress.TryParse(address, out var parsed, out _).ShouldBeTrue();
        return new Registry(parsed!) { Credentials = credential is null ? null : new InlineCredential(credential, "auth"), Tls = tls };
    }
}
