using System.Text;
using System.Web;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Registries.Auth;

public sealed class GettingATokenTests : TokenCase
{
    [Fact]
    public async Task Anybody_gets_a_token_where_the_registry_is_open_to_all()
    {
        (await Ask()).ShouldBeOfType<ProbeResult.Found>();

        var asked = Tokens.Requests.ShouldHaveSingleItem();
        asked.Method.ShouldBe("GET");
        asked.Path.ShouldBe($"/token?service={FakeTokenServer.Service}&scope=repository%3Alibrary%2Fnginx%3Apull");
        asked.Authorization.ShouldBeNull();
        asked.Headers["User-Agent"].ShouldStartWith("image-cri-shim/");
        Registry.Requests.Select(r => r.Authorization).ShouldBe([null, "Bearer planted-token-1"]);
        Registry.Requests.ShouldAllBe(r => r.Method == "HEAD");
    }

    [Fact]
    public async Task The_account_goes_to_the_token_server_and_the_token_to_the_registry()
    {
        Tokens.Account = ("admin", "planted-secret");

        var result = await Ask(Secret);

        result.ShouldBeOfType<ProbeResult.Found>().CredentialFrom.ShouldBe("auth");
        Tokens.Requests.ShouldHaveSingleItem().Authorization.ShouldBe("Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("admin:planted-secret")));
        Registry.Requests.Last().Authorization.ShouldBe("Bearer planted-token-1");
    }

    [Fact]
    public async Task A_known_token_costs_no_request()
    {
        await Ask(Secret);
        var before = Asked;

        (await Ask(Secret)).ShouldBeOfType<ProbeResult.Found>();

        Asked.ShouldBe((before.Registry + 1, before.Tokens));
    }

    [Fact]
    public async Task The_token_of_the_next_repository_costs_no_refusal()
    {
        await Ask();
        var before = Asked;

        (await Ask(image: "team/app:1")).ShouldBeOfType<ProbeResult.Found>();

        Asked.ShouldBe((before.Registry + 1, before.Tokens + 1));
        Tokens.Requests.Last().Path.ShouldEndWith("scope=repository%3Ateam%2Fapp%3Apull");
    }

    [Theory]
    [InlineData("Bearer realm=\"{realm}\",service=\"registry.of.tests\"")] // some give no scope (RFC 6750 section 3 makes it optional)
    [InlineData("bearer Realm=\"{realm}\"")]
    [InlineData("Bearer realm=\"{realm}\",scope=\"\"")]
    public async Task A_scope_that_is_not_given_is_made(string challenge)
    {
        Registry.Behave = request => Tokens.Guard(request, challenge.Replace("{realm}", Tokens.Realm));

        (await Ask()).ShouldBeOfType<ProbeResult.Found>();

        HttpUtility.ParseQueryString(Tokens.Requests.Single().Path.Split('?')[1])["scope"].ShouldBe("repository:library/nginx:pull");
    }

    [Fact]
    public async Task A_scope_is_used_as_it_is_given()
    {
        Registry.Behave = r => r.Authorization == "Bearer planted-token-1"
            ? null
            : new FakeAnswer(401) { Challenges = [$"Bearer realm=\"{Tokens.Realm}?account=x\",scope=\"aws repository:a:pull,push\""] };

        (await Ask()).ShouldBeOfType<ProbeResult.Found>();
        (await Ask(image: "team/app:1")).ShouldBeOfType<ProbeResult.Found>();

        Tokens.Requests.ShouldHaveSingleItem().Path.ShouldBe("/token?account=x&scope=aws&scope=repository%3Aa%3Apull%2Cpush");
    }

    [Fact]
    public async Task A_realm_may_be_a_path_at_the_registry()
    {
        Registry.Behave = request => request switch
        {
            { Path: var path } when path.StartsWith("/service/token?", StringComparison.Ordinal) => FakeAnswer.Json(200, """{"access_token":"t"}"""),
            { Authorization: "Bearer t" } => null,
            _ => new FakeAnswer(401) { Challenges = ["Bearer realm=\"/service/token\""] },
        };

        (await Ask(Secret)).ShouldBeOfType<ProbeResult.Found>();
    }

    [Theory]
    [InlineData("token")]
    [InlineData("access_token")]
    [InlineData("Token")]
    [InlineData("TOKEN")]
    [InlineData("Access_Token")]
    [InlineData("to\u212Aen")] // the sign of Kelvin, a k for Go
    [InlineData("acce\u017F\u017F_token")]
    public async Task The_token_has_either_name_in_any_case(string name)
    {
        Tokens.TokenName = name;

        (await Ask()).ShouldBeOfType<ProbeResult.Found>();
    }

    [Fact]
    public async Task An_identity_token_is_posted_and_exchanged()
    {
        Tokens.IdentityToken = "planted&identity=token+";
        Tokens.TokenName = "access_token";

        (await Ask(new Credential.IdentityToken("planted&identity=token+"))).ShouldBeOfType<ProbeResult.Found>();

        var asked = Tokens.Requests.ShouldHaveSingleItem();
        asked.Method.ShouldBe("POST");
        asked.Path.ShouldBe("/token");
        asked.Authorization.ShouldBeNull();
        asked.Headers["Content-Type"].ShouldBe("application/x-www-form-urlencoded");
        var form = HttpUtility.ParseQueryString(asked.Body);
        form.AllKeys.ShouldBe(["grant_type", "service", "scope", "client_id", "refresh_token"]);
        form["grant_type"].ShouldBe("refresh_token");
        form["service"].ShouldBe(FakeTokenServer.Service);
        form["scope"].ShouldBe("repository:library/nginx:pull");
        form["client_id"].ShouldBe("image-cri-shim");
        form["refresh_token"].ShouldBe("planted&identity=token+");
        Registry.Requests.Select(r => r.Authorization).ShouldBe([null, "Bearer planted-token-1"]);
    }

    [Theory]
    [InlineData(404)]
    [InlineData(405)]
    public async Task A_token_server_that_takes_no_identity_tokens_is_said_to(int status)
    {
        Tokens.Behave = r => r.Method == "POST" ? new FakeAnswer(status) : null;

        (await Ask(new Credential.IdentityToken("planted-identity"))).ToString()
            .ShouldBe($"denied (its token server {Tokens.Host} says HTTP {status}, so it has no use for the identity token ***)");

        Tokens.Requests.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_registry_token_goes_to_the_registry_at_once_and_nowhere_else()
    {
        Registry.Behave = r => r.Authorization == "Bearer planted-registry-token" ? null : Tokens.Guard(r);

        (await Ask(new Credential.RegistryToken("planted-registry-token"))).ShouldBeOfType<ProbeResult.Found>();
        (await Ask(new Credential.RegistryToken("planted-other"))).ToString().ShouldBe("denied (HTTP 401 for the registry token ***)");

        Asked.ShouldBe((3, 0)); // once more by GET, for the words of the refusal
    }

    [Fact]
    public async Task A_registry_token_that_no_header_can_hold_is_not_sent()
    {
        (await Ask(new Credential.RegistryToken("planted\r\nX: y"))).ShouldBeOfType<ProbeResult.Denied>().Reason.ShouldContain("registry token");

        Asked.ShouldBe((0, 0));
    }

    [Fact]
    public async Task Of_bearer_and_basic_bearer_is_taken()
    {
        Registry.Behave = r => Tokens.Guard(r) is { } refusal ? refusal with { Challenges = ["Basic realm=\"x\"", .. refusal.Challenges] } : null;

        (await Ask(Secret)).ShouldBeOfType<ProbeResult.Found>();

        Tokens.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task But_basic_where_bearer_leads_nowhere()
    {
        await Ask(Secret); // so that no password is sent unasked
        Registry.Behave = r => r.Authorization?.StartsWith("Basic", StringComparison.Ordinal) == true
            ? null
            : new FakeAnswer(401) { Challenges = ["Bearer realm=\"ftp://x/\", Basic realm=\"y\""] };

        (await Ask(Secret)).ShouldBeOfType<ProbeResult.Found>();
    }

    [Fact]
    public async Task A_registry_that_wants_neither_is_denied()
    {
        Registry.Behave = _ => new FakeAnswer(401) { Challenges = ["Negotiate"] };

        (await Ask(Secret)).ToString().ShouldBe("denied (HTTP 401 for user admin)");
        Registry.Requests.Select(request => request.Authorization is null).ShouldBe([false, true, false]); // the last by GET, for the words of the refusal // it may dislike the password alone
    }

    [Fact]
    public async Task Many_who_want_the_same_token_at_once_share_one_request()
    {
        await Ask(); // so that it is known that tokens are wanted
        Registry.Add("team/app", "2");
        var go = new TaskCompletionSource();
        Tokens.Until = go.Task;
        await Tokens.NextRequest();

        var asking = Enumerable.Range(0, 20).Select(i => Ask(image: $"team/app:{1 + i % 2}")).ToList();
        await Tokens.NextRequest();
        go.SetResult();

        (await Task.WhenAll(asking)).ShouldAllBe(result => result is ProbeResult.Found);
        Asked.ShouldBe((2 + 20, 1 + 1));
    }

    [Fact]
    public async Task Each_account_has_its_own_token()
    {
        await Ask(new Credential.Password("one", "planted"));
        await Ask(new Credential.Password("two", "planted"));
        await Ask();

        Tokens.Requests.Count.ShouldBe(3);
        Tokens.Requests.Select(r => r.Authorization).Distinct().Count().ShouldBe(3);
    }
}
