using System.Security.Cryptography.X509Certificates;
using System.Text;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Registries.Auth;

/// <summary>
/// Everything that each host receives while registries challenge, dislike, redirect and name token servers as they like: a password goes to
/// the registry that it is configured for and to the token server that this one names for that repository, a token to whom it was made for.
/// </summary>
public sealed class NoSecretAstray : IAsyncLifetime
{
    private static readonly Credential s_secret = new Credential.Password("admin", "planted-secret");
    private static readonly Credential s_other = new Credential.Password("quay", "planted-other");

    private readonly FakeAuthority _authority = new();
    private readonly X509Certificate2 _certificate;
    private readonly Dictionary<string, (FakeRegistry? Registry, FakeTokenServer? Tokens)> _hosts = [];
    private readonly ProbeCase _probe;
    private readonly FakeTime _time = new();

    public NoSecretAstray() => (_certificate, _probe) = (_authority.Issue(["127.0.0.1"]), new ProbeCase(_time));

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        _probe.Dispose();
        foreach (var (registry, tokens) in _hosts.Values)
        {
            await (registry?.DisposeAsync() ?? ValueTask.CompletedTask);
            await (tokens?.DisposeAsync() ?? ValueTask.CompletedTask);
        }
        _certificate.Dispose();
        _authority.Dispose();
    }

    [Fact]
    public async Task With_two_realms_and_two_accounts_on_one_host()
    {
        var registry = Registry("registry");
        var (hub, quay) = (Tokens("hub"), Tokens("quay"));
        (hub.Account, quay.Account) = (("admin", "planted-secret"), ("quay", "planted-other"));
        registry.Add("hub/nginx", "1");
        registry.Add("quay/nginx", "1");
        registry.Behave = request => (request.Path.Contains("/hub/") ? hub : quay).Guard(request);

        for (var round = 0; round < 3; round++)
        {
            (await _probe.Ask(registry, "hub/nginx:1", s_secret)).ShouldBeOfType<ProbeResult.Found>();
            (await _probe.Ask(registry, "quay/nginx:1", s_other)).ShouldBeOfType<ProbeResult.Found>();
            _time.Advance(TimeSpan.FromMinutes(2 * round));
        }

        Received("hub").ShouldBe(["admin's password"]);
        Received("quay").ShouldBe(["quay's password"]);
        Received("registry").ShouldBe(["admin's password", "hub's token", "quay's password", "quay's token"]);
    }

    [Fact]
    public async Task With_a_registry_that_dislikes_what_it_gets()
    {
        var (registry, tokens, elsewhere) = (Registry("registry"), Tokens("tokens"), Registry("elsewhere"));
        registry.Add("library/nginx", "1.25");
        elsewhere.Add("library/nginx", "1.25");
        foreach (var status in new[] { 400, 401, 403, 404, 500 })
        {
            registry.Behave = request => tokens.Guard(request) is { } refusal
                ? request.Authorization is null ? refusal : new FakeAnswer(status)
                : null;
            (await _probe.Ask(registry, credential: s_secret)).ShouldBeOfType<ProbeResult.Found>();
            tokens.Revoke();
            _time.Advance(TimeSpan.FromSeconds(30));
            registry.Behave = request => request.Authorization is null
                ? FakeAnswer.RedirectTo(elsewhere.Address + request.Path)
                : new FakeAnswer(status);
            (await _probe.Ask(registry, credential: s_secret)).ShouldBeOfType<ProbeResult.Found>();
        }

        Received("tokens").ShouldBe(["admin's password"]);
        Received("registry").ShouldBe(["admin's password", "tokens's token"]);
        Received("elsewhere").ShouldBeEmpty();
        elsewhere.Requests.Count.ShouldBe(5);
    }

    [Fact]
    public async Task With_token_servers_over_plain_http_and_ones_that_redirect()
    {
        var (registry, plain) = (Registry("registry", isSecure: true), Registry("plain"));
        var (tokens, elsewhere) = (Tokens("tokens", isSecure: true), Tokens("elsewhere", isSecure: true));
        registry.Add("library/nginx", "1.25");
        string[] hosts = ["127.0.0.1", $"127.0.0.1:{registry.Port}", $"127.0.0.1:{plain.Port}", $"localhost:{plain.Port}"];
        foreach (var realm in hosts.Select(host => $"http://{host}/token").Append(tokens.Realm))
        {
            registry.Behave = request => request.Path.StartsWith("/token", StringComparison.Ordinal)
                ? FakeAnswer.RedirectTo(tokens.Realm + request.Path["/token".Length..])
                : tokens.Guard(request, $"Bearer realm=\"{realm}\",scope=\"repository:library/nginx:pull\"");
            foreach (var target in new[] { null, elsewhere.Realm, $"{plain.Address}/token", "/moved" })
            {
                tokens.Behave = request => target is not null && request.Path.StartsWith("/token", StringComparison.Ordinal)
                    ? FakeAnswer.RedirectTo(target)
                    : null;
                await _probe.Ask(registry, credential: s_secret, tls: new TlsSettings { Ca = _authority.Pem });
                tokens.Revoke();
                _time.Advance(TimeSpan.FromMinutes(2));
            }
        }

        Received("registry").ShouldContain("admin's password");
        Received("tokens").ShouldBe(["admin's password"]); // where it is the realm
        Received("elsewhere").ShouldBeEmpty();
        elsewhere.Requests.ShouldNotBeEmpty();
        plain.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task With_a_redirect_to_a_registry_that_challenges()
    {
        var (vanity, own, real, tokens) = (Registry("vanity"), Tokens("own"), Registry("real"), Tokens("tokens"));
        real.Add("library/nginx", "1.25");
        real.Behave = request => tokens.Guard(request);
        vanity.Behave = request => own.Guard(request) ?? FakeAnswer.RedirectTo(real.Address + request.Path);
        Credential[] accounts = [s_secret, new Credential.IdentityToken("planted-identity"), s_other];
        own.IdentityToken = "planted-identity";
        foreach (var account in accounts)
        {
            for (var round = 0; round < 2; round++)
            {
                (await _probe.Ask(vanity, credential: account)).ShouldBeOfType<ProbeResult.Found>();
                _time.Advance(TimeSpan.FromMinutes(2 * round));
            }
        }

        Received("own").ShouldBe(["admin's password", "identity token", "quay's password"]);
        Received("vanity").ShouldBe(["admin's password", "own's token"]);
        Received("tokens").ShouldBeEmpty();
        tokens.Requests.ShouldNotBeEmpty();
        Received("real").ShouldBe(["tokens's token"]);
    }

    private FakeRegistry Registry(string name, bool isSecure = false)
    {
        var registry = isSecure ? FakeRegistry.StartWithTls(_certificate) : FakeRegistry.Start();
        _hosts[name] = (registry, null);
        return registry;
    }

    private FakeTokenServer Tokens(string name, bool isSecure = false)
    {
        var tokens = FakeTokenServer.Start(isSecure ? _certificate : null);
        var count = 0;
        tokens.Sign = _ => $"{name}-token-{count++}";
        _hosts[name] = (null, tokens);
        return tokens;
    }

    /// <summary>The secrets that a host got, wherever in its requests they stood.</summary>
    private List<string> Received(string name)
    {
        var requests = _hosts[name].Registry?.Requests ?? _hosts[name].Tokens!.Requests;
        var all = string.Join('\n', requests.SelectMany(request => request.Headers.Values.Append(request.Path).Append(request.Body)));
        var secrets = new Dictionary<string, string>
        {
            ["admin's password"] = Basic("admin:planted-secret"),
            ["quay's password"] = Basic("quay:planted-other"),
            ["identity token"] = "planted-identity",
        };
        foreach (var host in _hosts.Keys)
            secrets[$"{host}'s token"] = $"{host}-token-";
        all.ShouldNotContain("planted-secret"); // but as Basic
        all.ShouldNotContain("planted-other");
        var found = secrets.Where(secret => all.Contains(secret.Value, StringComparison.Ordinal)).Select(secret => secret.Key);
        return [.. found.Order(StringComparer.Ordinal)];
    }

    private static string Basic(string account) => Convert.ToBase64String(Encoding.UTF8.GetBytes(account));
}
