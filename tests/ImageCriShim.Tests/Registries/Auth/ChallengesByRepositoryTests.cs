using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Registries.Auth;

/// <summary>One host whose repositories want different things: a challenge is about the request that it answers.</summary>
public sealed class ChallengesByRepositoryTests : IAsyncLifetime
{
    private const string Hub = "docker-hub-proxy/library/nginx:1";
    private const string Quay = "quay-proxy/org/app:1";

    private static readonly Credential s_secret = new Credential.Password("admin", "planted-secret");

    private readonly FakeRegistry _registry = FakeRegistry.Start();
    private readonly FakeTokenServer _one = FakeTokenServer.Start();
    private readonly FakeTokenServer _two = FakeTokenServer.Start();
    private readonly FakeTime _time = new();
    private readonly ProbeCase _probe;

    public ChallengesByRepositoryTests()
    {
        _probe = new ProbeCase(_time);
        foreach (var repository in new[] { "docker-hub-proxy/library/nginx", "docker-hub-proxy/library/redis" })
            _registry.Add(repository, "1");
        foreach (var repository in new[] { "quay-proxy/org/app", "quay-proxy/org/db" })
            _registry.Add(repository, "1");
        _registry.Behave = request => (IsHub(request) ? _one : _two).Guard(request);
    }

    private (int Registry, int One, int Two) Asked => (_registry.Requests.Count, _one.Requests.Count, _two.Requests.Count);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        _probe.Dispose();
        await _registry.DisposeAsync();
        await _one.DisposeAsync();
        await _two.DisposeAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Two_realms_on_one_host_work_cold_and_cost_one_request_each_warm_and_after_the_tokens_end(bool withAccount)
    {
        foreach (var image in new[] { Hub, Quay })
            await Find(image, withAccount);

        for (var round = 1; round <= 3; round++)
        {
            var before = Asked;
            foreach (var image in new[] { Hub, Quay, Quay, Hub })
                await Find(image, withAccount);
            Asked.ShouldBe((before.Registry + 4, before.One, before.Two));
        }

        _time.Advance(TimeSpan.FromMinutes(2));
        var old = Asked;
        foreach (var image in new[] { Quay, Hub })
            await Find(image, withAccount);
        Asked.ShouldBe((old.Registry + 2, old.One + 1, old.Two + 1));
    }

    [Fact]
    public async Task A_host_with_two_realms_costs_no_more_requests_warm_than_one_with_one()
    {
        await using var plain = FakeRegistry.Start();
        await using var tokens = FakeTokenServer.Start();
        plain.Add("docker-hub-proxy/library/nginx", "1");
        plain.Add("quay-proxy/org/app", "1");
        plain.Behave = request => tokens.Guard(request);
        foreach (var fake in new[] { plain, _registry })
        {
            foreach (var image in new[] { Hub, Quay, Hub, Quay })
                (await _probe.Ask(fake, image, s_secret)).ShouldBeOfType<ProbeResult.Found>();
        }
        var (one, two) = (plain.Requests.Count, _registry.Requests.Count);

        foreach (var fake in new[] { plain, _registry })
        {
            foreach (var image in new[] { Hub, Quay, Hub, Quay })
                (await _probe.Ask(fake, image, s_secret)).ShouldBeOfType<ProbeResult.Found>();
        }

        (_registry.Requests.Count - two).ShouldBe(plain.Requests.Count - one);
    }

    [Fact]
    public async Task Another_image_below_a_known_path_costs_no_refusal()
    {
        await Find(Hub);
        await Find(Quay);
        var before = Asked;

        await Find("quay-proxy/org/db:1");
        await Find("docker-hub-proxy/library/redis:1");

        Asked.ShouldBe((before.Registry + 2, before.One + 1, before.Two + 1));
    }

    [Fact]
    public async Task A_service_may_differ_by_repository()
    {
        var issued = new Dictionary<string, string>(); // token to service
        _one.Sign = _ => $"planted-{issued.Count}";
        _one.Behave = request =>
        {
            issued[$"planted-{issued.Count}"] = request.Path;
            return FakeAnswer.Json(200, $$"""{"token":"planted-{{issued.Count - 1}}"}""");
        };
        _registry.Behave = request =>
        {
            var service = IsHub(request) ? "hub" : "quay";
            var token = request.Authorization?["Bearer ".Length..] ?? "";
            var isGood = issued.GetValueOrDefault(token)?.Contains($"service={service}&") == true;
            return isGood ? null : new FakeAnswer(401) { Challenges = [$"Bearer realm=\"{_one.Realm}\",service=\"{service}\""] };
        };
        await Find(Hub);
        await Find(Quay);
        var before = Asked;

        await Find(Hub);
        await Find(Quay);

        Asked.ShouldBe((before.Registry + 2, before.One, before.Two));
    }

    [Fact]
    public async Task A_gateway_that_cuts_a_prefix_names_another_scope_and_other_images_below_it_cost_no_refusal()
    {
        _registry.Behave = request =>
            _one.Guard(request with { Path = request.Path.Replace("/v2/docker-hub-proxy/", "/v2/", StringComparison.Ordinal) });

        await Find(Hub);
        Asked.ShouldBe((2, 1, 0));
        await Find("docker-hub-proxy/library/redis:1");
        Asked.ShouldBe((3, 2, 0));

        _one.Requests.Select(request => request.Path[(request.Path.IndexOf("scope=", StringComparison.Ordinal) + 6)..])
            .ShouldBe(["repository%3Alibrary%2Fnginx%3Apull", "repository%3Alibrary%2Fredis%3Apull"]);
        await Find(Quay); // which it passes on as it is
        await Find(Hub);
        Asked.Registry.ShouldBe(3 + 2 + 1);
    }

    [Fact]
    public async Task One_that_adds_a_prefix_as_well()
    {
        _registry.Behave = request =>
            _one.Guard(request with { Path = request.Path.Replace("/v2/", "/v2/tenant/", StringComparison.Ordinal) });

        await Find(Hub);
        await Find(Quay);

        Asked.ShouldBe((2 + 1, 2, 0));
    }

    [Fact]
    public async Task Basic_for_one_repository_tokens_for_another_and_nothing_for_a_third()
    {
        _registry.Add("open/image", "1");
        _registry.Behave = request => request switch
        {
            _ when IsHub(request) => _one.Guard(request),
            { Path: var path } when path.Contains("open") => request.Authorization is null ? null : new FakeAnswer(401),
            { Authorization: { } sent } when sent.StartsWith("Basic", StringComparison.Ordinal) => null,
            _ => new FakeAnswer(401) { Challenges = ["Basic realm=\"quay\""] },
        };
        foreach (var image in new[] { Hub, Quay, "open/image:1" })
            await Find(image, withAccount: true);

        for (var round = 1; round <= 2; round++)
        {
            var before = Asked;
            foreach (var image in new[] { "open/image:1", Quay, Hub })
                await Find(image, withAccount: true);
            Asked.ShouldBe((before.Registry + 3, before.One, 0));
        }
        _time.Advance(TimeSpan.FromMinutes(2));
        var old = Asked;
        foreach (var image in new[] { Hub, "open/image:1", Quay })
            await Find(image, withAccount: true);
        Asked.ShouldBe((old.Registry + 3, old.One + 1, 0));
    }

    [Theory]
    [InlineData(401)]
    [InlineData(404)]
    [InlineData(500)]
    public async Task A_token_for_the_wrong_realm_may_be_refused_in_other_words(int status)
    {
        _registry.Behave = request => (IsHub(request) ? _one : _two).Guard(request) is { } refusal
            ? request.Authorization is null ? refusal : new FakeAnswer(status)
            : null;

        await Find(Hub);
        await Find(Quay);
        await Find(Hub);
    }

    [Fact]
    public async Task A_realm_that_moves_is_followed_by_all_repositories()
    {
        _registry.Behave = request => _one.Guard(request);
        await Find(Hub);
        _registry.Behave = request => _two.Guard(request);
        await Find(Hub);
        var before = Asked;

        await Find(Quay);

        Asked.ShouldBe((before.Registry + 1, before.One, before.Two + 1));
    }

    [Fact]
    public async Task A_token_server_that_is_down_takes_no_repository_of_another_one_away()
    {
        await Find(Hub);
        _one.Behave = _ => new FakeAnswer(503);

        await Find(Quay);
    }

    [Fact]
    public async Task A_registry_that_changes_its_challenge_for_ever_is_left()
    {
        var round = 0;
        _registry.Behave = _ => new FakeAnswer(401) { Challenges = [$"Bearer realm=\"{_one.Realm}\",service=\"s{round++}\""] };

        (await _probe.Ask(_registry, Hub, s_secret)).ToString()
            .ShouldBe($"denied (HTTP 401 for user admin, with a token from {_one.Host})");

        Asked.ShouldBe((1 + 3 + 1, 3, 0)); // with the password, with a token for each of three challenges, and by GET, for the words of the refusal
    }

    [Fact]
    public async Task A_401_that_asks_for_what_was_given_is_the_end()
    {
        _one.Allows = _ => false;

        (await _probe.Ask(_registry, Hub)).ToString().ShouldBe($"denied (HTTP 401 for no user, with a token from {_one.Host})");
        Asked.ShouldBe((2, 1, 0));
    }

    private async Task Find(string image, bool withAccount = false) =>
        (await _probe.Ask(_registry, image, withAccount ? s_secret : null)).ShouldBeOfType<ProbeResult.Found>(image);

    private static bool IsHub(FakeRequest request) => request.Path.StartsWith("/v2/docker-hub-proxy/", StringComparison.Ordinal);
}
