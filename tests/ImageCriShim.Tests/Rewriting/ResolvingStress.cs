using ImageCriShim.Rewriting;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Rewriting;

/// <summary>Few names, wanted by many who come and go, at registries that answer now or later.</summary>
public sealed class ResolvingStress
{
    private const int Wishes = 3_000;
    private static readonly string[] s_names = ["high", "middle", "low", "nowhere"]; // where they are

    [Fact]
    public async Task Everybody_who_stays_gets_the_right_decision_and_who_leaves_disturbs_nobody()
    {
        await using var it = new ResolveCase(s => s with { Cache = s.Cache with { ImageCacheTtl = TimeSpan.Zero, MissTtl = TimeSpan.Zero } });
        var late = new ThreadLocal<Random>(() => new Random(Environment.CurrentManagedThreadId));
        foreach (var (registry, name) in new[] { (it.High, s_names[0]), (it.Middle, s_names[1]), (it.Low, s_names[2]) })
        {
            registry.Add($"library/{name}", "latest");
            registry.Behave = request => request.Path.Contains(name)
                ? FakeAnswer.Manifest(FakeRegistry.OciManifest) with { When = Later() }
                : new FakeAnswer(404) { When = Later() };
        }
        var decided = 0;

        await Parallel.ForAsync(0, Wishes, new ParallelOptions { MaxDegreeOfParallelism = 64 }, async (i, _) =>
        {
            var random = new Random(i);
            using var patience = new CancellationTokenSource();
            var name = s_names[random.Next(s_names.Length)];
            var resolving = it.Resolver.Resolve(name, patience.Token);
            if (random.Next(3) == 0)
                await patience.CancelAsync();
            try
            {
                ShouldBeRight(it, name, await resolving);
                Interlocked.Increment(ref decided);
            }
            catch (OperationCanceledException)
            {
                patience.IsCancellationRequested.ShouldBeTrue("only who leaves is cancelled");
            }
        });

        decided.ShouldBeGreaterThanOrEqualTo(Wishes / 2); // two thirds never left
        it.Asked.Max().ShouldBeLessThanOrEqualTo(Wishes, "nobody is asked more often than somebody wants it");
        it.Outages.All.ShouldBeEmpty("a question that was given up says nothing");
        foreach (var name in s_names)
            ShouldBeRight(it, name, await it.Resolve(name)); // no broken round is left behind

        async Task Later()
        {
            for (var turns = late.Value!.Next(4); turns > 0; turns--)
                await Task.Yield();
        }
    }

    [Fact]
    public async Task While_one_question_is_open_no_second_one_is_put()
    {
        await using var it = new ResolveCase();
        var answer = new TaskCompletionSource();
        foreach (var registry in new[] { it.High, it.Middle, it.Low })
            registry.Behave = _ => new FakeAnswer(404) { When = answer.Task };
        var wishes = Enumerable.Range(0, 200).Select(_ => Task.Run(() => it.Resolve("nowhere"))).ToList();
        await Task.WhenAll(it.High.NextRequest(), it.Middle.NextRequest(), it.Low.NextRequest());

        answer.SetResult();
        await Task.WhenAll(wishes);

        it.Asked.ShouldBe([1, 1, 1]);
    }

    private static void ShouldBeRight(ResolveCase it, string name, Decision decision)
    {
        var holder = Array.IndexOf(s_names, name);
        var registries = new[] { it.High, it.Middle, it.Low };
        decision.ToPull[0].Image.ShouldBe(holder < 3 ? $"{registries[holder].Host}/library/{name}:latest" : name);
    }
}
