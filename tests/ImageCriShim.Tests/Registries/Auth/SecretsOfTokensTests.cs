using System.Security.Cryptography.X509Certificates;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Registries.Auth;

/// <summary>The account goes to the token server of its registry, the token to the registry, and neither anywhere else.</summary>
public sealed class SecretsOfTokensTests : IDisposable
{
    private static readonly Credential Secret = new Credential.Password("admin", "planted-secret");

    private readonly FakeAuthority authority = new();
    private readonly ProbeCase probe = new();
    private readonly X509Certificate2 certificate;

    public SecretsOfTokensTests() => certificate = authority.Issue(["127.0.0.1"]);

    private TlsSettings Trusting => new() { Ca = authority.Pem };

    public void Dispose()
    {
        probe.Dispose();
        certificate.Dispose();
        authority.Dispose();
    }

    [Fact]
    public async Task A_registry_with_https_cannot_have_tokens_made_over_plain_http()
    {
        await using var tokens = FakeTokenServer.Start();
        await using var registry = Guarded(FakeRegistry.StartWithTls(certificate), tokens);

        (await probe.Ask(registry, credential: Secret, tls: Trusting)).ToString().ShouldBe(
            $"denied (it wants a token to be had from {tokens.Host} over plain http, which is not done for a registry with https)");
        (await probe.Ask(registry, tls: Trusting)).ShouldBeOfType<ProbeResult.Denied>();

        tokens.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_token_server_on_another_host_is_believed_with_the_same_authority()
    {
        await using var tokens = FakeTokenServer.Start(certificate);
        await using var registry = Guarded(FakeRegistry.StartWithTls(certificate), tokens);

        (await probe.Ask(registry, credential: Secret, tls: Trusting)).ShouldBeOfType<ProbeResult.Found>();
    }

    [Fact]
    public async Task Not_verifying_the_registry_does_not_extend_to_its_token_server()
    {
        await using var tokens = FakeTokenServer.Start(certificate);
        await using var registry = Guarded(FakeRegistry.StartWithTls(certificate), tokens);

        (await probe.Ask(registry, credential: Secret, tls: new TlsSettings { InsecureSkipVerify = true })).ToString().ShouldBe(
            $"unreachable (its token server {tokens.Host}: its TLS certificate is signed by an unknown authority (tls.ca names one))");

        tokens.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task But_to_one_at_the_registry_itself()
    {
        await using var registry = FakeRegistry.StartWithTls(certificate);
        registry.Add("library/nginx", "1.25");
        registry.Behave = request => request switch
        {
            { Path: var path } when path.StartsWith("/token?", StringComparison.Ordinal) => FakeAnswer.Json(200, """{"token":"t"}"""),
            { Authorization: "Bearer t" } => null,
            _ => new FakeAnswer(401) { Challenges = [$"Bearer realm=\"{registry.Address}/token\""] },
        };

        (await probe.Ask(registry, credential: Secret, tls: new TlsSettings { InsecureSkipVerify = true })).ShouldBeOfType<ProbeResult.Found>();
    }

    [Fact]
    public async Task A_token_stays_behind_where_the_registry_redirects_to()
    {
        await using var elsewhere = FakeRegistry.Start();
        await using var tokens = FakeTokenServer.Start();
        await using var registry = Guarded(FakeRegistry.Start(), tokens);
        elsewhere.Add("library/nginx", "1.25");
        registry.Behave = request => tokens.Guard(request) ?? FakeAnswer.RedirectTo(elsewhere.Address + request.Path);

        (await probe.Ask(registry, credential: Secret)).ShouldBeOfType<ProbeResult.Found>();
        (await probe.Ask(registry, credential: new Credential.RegistryToken("planted"))).ShouldBeOfType<ProbeResult.Denied>();

        elsewhere.Requests.ShouldHaveSingleItem().Authorization.ShouldBeNull();
        registry.Requests.Where(r => r.Authorization == "Bearer planted-token-1").ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Who_is_redirected_to_cannot_ask_for_the_account()
    {
        await using var tokens = FakeTokenServer.Start();
        await using var elsewhere = Guarded(FakeRegistry.Start(), tokens);
        await using var registry = FakeRegistry.Start();
        registry.Behave = request => FakeAnswer.RedirectTo(elsewhere.Address + request.Path);

        (await probe.Ask(registry, credential: Secret)).ShouldBeOfType<ProbeResult.Found>();

        elsewhere.Requests.Select(request => request.Authorization).ShouldBe([null, "Bearer planted-token-1"]);
        tokens.Requests.ShouldHaveSingleItem().Authorization.ShouldBeNull(); // a token for nobody
    }

    [Fact]
    public async Task Two_registries_with_one_token_server_do_not_share_accounts()
    {
        await using var tokens = FakeTokenServer.Start();
        await using var registry = Guarded(FakeRegistry.Start(), tokens);
        await using var other = Guarded(FakeRegistry.Start(), tokens);

        await probe.Ask(registry, credential: Secret);
        await probe.Ask(other);

        tokens.Requests.Select(r => r.Authorization is null).ShouldBe([false, true]);
        other.Requests.ShouldNotContain(r => r.Authorization == "Bearer planted-token-1");
    }

    [Fact]
    public void No_text_form_shows_a_secret()
    {
        var token = new Token("planted", 0, TimeSpan.FromMinutes(5));
        var request = new TokenRequest(new RegistryIdentity(new Uri("https://hub.corp/"), TlsSettings.Default), new Uri("https://auth.corp/token"), "hub", "x", Secret, TlsSettings.Default);
        var account = new CredentialAnswer(Secret, "auth");
        var all = new object[]
        {
            token, request, TokenAnswer.Of(token, isNew: true), account,
            new Demand(AuthScheme.Bearer, new BearerTerms(new Realm(request.Realm), "hub", "x", "a"), Secret),
            Authorization.Basic((Credential.Password)Secret, account, isGuess: true),
            Authorization.Of(new Credential.RegistryToken("planted"), account),
        };

        string.Join(' ', all).ShouldNotContain("planted");
        string.Join(' ', all).ShouldContain("admin:***");
    }

    private static FakeRegistry Guarded(FakeRegistry registry, FakeTokenServer tokens)
    {
        registry.Add("library/nginx", "1.25");
        registry.Behave = request => tokens.Guard(request);
        return registry;
    }
}
