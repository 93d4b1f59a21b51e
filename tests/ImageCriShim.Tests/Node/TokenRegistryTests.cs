using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Registries;

namespace ImageCriShim.Tests.Node;

/// <summary>docker-registry with token authentication: the tokens are signed, and the registry verifies them.</summary>
[Trait("suite", "node")]
public sealed class TokenRegistryTests : IAsyncLifetime
{
    private static readonly Credential Secret = new Credential.Password("admin", "planted-secret");

    private readonly FakeAuthority authority = new();
    private readonly FakeTokenServer tokens = FakeTokenServer.Start();
    private readonly OciLayout layout = new();
    private readonly FakeTime time = new();
    private readonly ProbeCase probe;
    private readonly JwtSigner signer;
    private RealRegistry? registry;

    public TokenRegistryTests()
    {
        probe = new ProbeCase(time);
        signer = new JwtSigner(authority);
        tokens.Sign = signer.Sign;
    }

    private RealRegistry Registry => registry!;

    public async ValueTask InitializeAsync()
    {
        layout.AddImage("1.25", "hello");
        registry = await RealRegistry.Start(new RealRegistry.Guard { Tokens = (tokens.Realm, authority.Pem) });
        await registry.Push(layout, "1.25", "library/nginx");
        await registry.Push(layout, "1.25", "team/private");
    }

    public async ValueTask DisposeAsync()
    {
        probe.Dispose();
        signer.Dispose();
        layout.Dispose();
        authority.Dispose();
        await Registry.DisposeAsync();
        await tokens.DisposeAsync();
    }

    [Fact]
    public async Task Anybody_may_pull_where_the_token_server_says_so()
    {
        (await Ask()).ShouldBeOfType<ProbeResult.Found>();
        (await Ask(image: "library/nginx:1.26")).ShouldBeOfType<ProbeResult.Missing>();
        (await Ask(image: "library/none:1.25")).ShouldBeOfType<ProbeResult.Missing>();
    }

    [Fact]
    public async Task The_right_account_is_found_a_wrong_one_and_none_are_denied()
    {
        tokens.Account = ("admin", "planted-secret");

        (await Ask(Secret)).ShouldBeOfType<ProbeResult.Found>();
        (await Ask(new Credential.Password("admin", "planted-wrong"))).ToString()
            .ShouldBe($"denied (its token server {tokens.Host} says HTTP 401 (UNAUTHORIZED: who are you?) for user admin)");
        (await Ask()).ToString().ShouldBe($"denied (its token server {tokens.Host} says HTTP 401 (UNAUTHORIZED: who are you?) for no user)");
    }

    [Fact]
    public async Task An_identity_token_is_exchanged()
    {
        tokens.Account = ("admin", "planted-secret");
        tokens.IdentityToken = "planted-identity";
        tokens.TokenName = "access_token";

        (await Ask(new Credential.IdentityToken("planted-identity"))).ShouldBeOfType<ProbeResult.Found>();
        (await Ask(new Credential.IdentityToken("planted-wrong"))).ShouldBeOfType<ProbeResult.Denied>();
    }

    [Fact]
    public async Task A_registry_token_is_taken_as_it_is()
    {
        tokens.Account = ("nobody", "at all");

        (await Ask(new Credential.RegistryToken(signer.Sign("repository:library/nginx:pull")))).ShouldBeOfType<ProbeResult.Found>();
        (await Ask(new Credential.RegistryToken(signer.Sign("repository:team/app:pull")))).ToString().ShouldBe("denied (HTTP 401 for the registry token ***)");
    }

    [Fact]
    public async Task A_repository_that_the_account_may_not_see_is_denied_after_one_token()
    {
        tokens.Sign = scope => signer.Sign(scope.Contains("private") ? "" : scope); // as token servers do: a token without the access

        (await Ask(Secret, "team/private:1.25")).ToString().ShouldBe($"denied (HTTP 401 for user admin, with a token from {tokens.Host})");
        (await Ask(Secret)).ShouldBeOfType<ProbeResult.Found>();
    }

    [Fact]
    public async Task The_next_question_costs_one_request_and_the_token_is_replaced_before_its_end()
    {
        tokens.More = "\"expires_in\": 300";
        await Ask(Secret);
        var before = tokens.Requests.Count;

        (await Ask(Secret)).ShouldBeOfType<ProbeResult.Found>();
        tokens.Requests.Count.ShouldBe(before);

        time.Advance(TimeSpan.FromSeconds(291));
        (await Ask(Secret)).ShouldBeOfType<ProbeResult.Found>();
        tokens.Requests.Count.ShouldBe(before + 1);
    }

    [Fact]
    public async Task A_token_that_has_expired_for_the_registry_alone_is_replaced()
    {
        (await Ask(Secret)).ShouldBeOfType<ProbeResult.Found>(); // so that it is known that tokens are wanted
        signer.Since = TimeSpan.FromHours(-1);
        tokens.More = "\"expires_in\": 36000";
        (await Ask(Secret, "team/private:1.25")).ShouldBeOfType<ProbeResult.Denied>();

        signer.Since = TimeSpan.FromMinutes(-1);
        (await Ask(Secret, "team/private:1.25")).ShouldBeOfType<ProbeResult.Found>();
    }

    [Fact]
    public async Task A_token_that_somebody_else_signed_is_denied()
    {
        using var other = new FakeAuthority();
        using var forger = new JwtSigner(other);
        tokens.Sign = forger.Sign;

        (await Ask(Secret)).ShouldBeOfType<ProbeResult.Denied>();
    }

    private Task<ProbeResult> Ask(Credential? credential = null, string image = "library/nginx:1.25") => probe.Ask(Registry.Address, image, credential);
}
