using ImageCriShim.Cri;
using ImageCriShim.Registries;
using ImageCriShim.Relay;
using ImageCriShim.Rewriting;
using ImageCriShim.Tests.Rewriting;

namespace ImageCriShim.Tests.Cri;

/// <summary>Where else an image is looked for is found out once, and anew as soon as it may be another place.</summary>
public sealed class OtherNamesTests : IAsyncDisposable
{
    private static readonly string s_digest = "sha256:" + new string('d', 64);

    private readonly ResolveCase _case = new();
    private readonly PullRecord _record = new([]);
    private readonly OtherNames _names;

    public OtherNamesTests() => _names = new OtherNames(_case.Resolver, _record, digestFallback: false);

    public ValueTask DisposeAsync() => _case.DisposeAsync();

    [Fact]
    public void What_was_found_out_is_not_found_out_again() => _names.Of("nginx:1").ShouldBeSameAs(_names.Of("nginx:1"));

    [Fact]
    public void The_name_that_it_was_pulled_by_comes_first_as_soon_as_it_was_pulled_and_no_longer_than_that_is_known()
    {
        var candidates = _names.Of("nginx:1").Others;
        candidates.ShouldBe([$"{_case.High.Host}/library/nginx:1", $"{_case.Middle.Host}/library/nginx:1", $"{_case.Low.Host}/library/nginx:1"]);

        var pull = Pull("docker.io/library/nginx:1", "elsewhere.local/nginx:1");
        _record.Add(pull);
        _names.Of("nginx:1").Others.ShouldBe(["elsewhere.local/nginx:1", .. candidates]);
        _names.Of("nginx:1").Recorded.ShouldBe(pull);

        _record.Forget([pull]);
        _names.Of("nginx:1").Others.ShouldBe(candidates);
        _names.Of("nginx:1").Recorded.ShouldBeNull();
    }

    [Fact]
    public void What_was_recorded_before_counts_as_soon_as_it_is_read()
    {
        _names.Of("nginx:1").Recorded.ShouldBeNull();
        _record.AddEarlier([Pull("nginx:1", "elsewhere.local/nginx:1")]);
        _names.Of("nginx:1").Others[0].ShouldBe("elsewhere.local/nginx:1");
    }

    [Fact]
    public void A_digest_is_looked_for_where_tags_of_its_repository_came_from()
    {
        _names.Of($"nginx@{s_digest}").Others.ShouldNotContain($"elsewhere.local/nginx@{s_digest}");
        _record.Add(Pull("nginx:1", "elsewhere.local/nginx:1"));
        _names.Of($"nginx@{s_digest}").Others[0].ShouldBe($"elsewhere.local/nginx@{s_digest}");
    }

    [Fact]
    public void A_pull_that_dropped_the_digest_counts_only_with_digestFallback()
    {
        _record.Add(Pull($"nginx:1@{s_digest}", "elsewhere.local/nginx:1"));
        _names.Of($"nginx:1@{s_digest}").Recorded.ShouldBeNull();
        new OtherNames(_case.Resolver, _record, digestFallback: true).Of($"nginx:1@{s_digest}").Others[0].ShouldBe("elsewhere.local/nginx:1");
    }

    [Fact]
    public void After_a_reload_it_is_looked_for_where_the_new_settings_say()
    {
        using var registries = new RegistryClient(_case.Time);
        using var runtime = new RuntimeClient(new RuntimeSocket("/nobody.sock", _case.Time));
        var before = new CallEnvironment(_case.Settings, _case.Resolver, registries, runtime, _record, new MissingImages([]), _case.Time, _case.Log);
        before.OtherNames.Of("nginx:1").Others.Count.ShouldBe(3);
        var after = before.With(_case.Settings with { Registries = [ResolveCase.Configured("https://new.local", 500)] });
        after.OtherNames.Of("nginx:1").Others.ShouldBe(["new.local/library/nginx:1"]);
        before.OtherNames.Of("nginx:1").Others.Count.ShouldBe(3); // of calls that began with it
    }

    [Fact]
    public async Task Pulls_that_are_recorded_meanwhile_are_never_missed()
    {
        using var over = new CancellationTokenSource();
        var asking = Enumerable.Range(0, 2).Select(_ => Task.Run(Ask, TestContext.Current.CancellationToken)).ToArray();
        for (var i = 0; i < 5_000; i++)
        {
            _record.Add(Pull("nginx:1", $"elsewhere.local/nginx:{i}"));
            Thread.Yield(); // to one who has found out what was true until now
            _names.Of("nginx:1").Others[0].ShouldBe($"elsewhere.local/nginx:{i}");
        }

        await over.CancelAsync();
        await Task.WhenAll(asking);

        void Ask()
        {
            while (!over.IsCancellationRequested)
                _names.Of("nginx:1");
        }
    }

    private static RecordedPull Pull(string given, string actual) =>
        new(given, actual, "elsewhere.local", s_digest, DateTimeOffset.UnixEpoch, PulledWith.NodesOwn);
}
