using FsCheck;
using FsCheck.Fluent;
using ImageCriShim.Registries;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Rewriting;

namespace ImageCriShim.Tests.Registries;

public sealed class SharedWorkTests
{
    [Fact]
    public async Task A_hundred_pulls_of_one_name_make_one_request_to_each_registry()
    {
        await using var it = new ResolveCase();
        it.Low.Add("library/nginx", "1.25");

        var decisions = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Task.Run(() => it.Resolve())));

        decisions.ShouldAllBe(d => d.ToPull[0].Image == $"{it.Low.Host}/library/nginx:1.25");
        it.Asked.ShouldBe([1, 1, 1]);
    }

    [Fact]
    public async Task A_caller_who_goes_away_does_not_disturb_the_others()
    {
        await using var it = new ResolveCase();
        var answer = new TaskCompletionSource();
        it.High.Behave = _ => new Fakes.FakeAnswer(404) { When = answer.Task };
        using var impatient = new CancellationTokenSource();
        var leaving = it.Resolver.Resolve("nginx", impatient.Token);
        var staying = it.Resolve("nginx");
        await it.High.NextRequest();

        impatient.Cancel();
        await Should.ThrowAsync<OperationCanceledException>(() => leaving);
        answer.SetResult();

        (await staying).Probes.Count.ShouldBe(3);
        it.High.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task When_the_last_caller_has_gone_the_work_ends_and_the_next_caller_starts_afresh()
    {
        var shared = new SharedWork<string, int>();
        var ended = new TaskCompletionSource();
        using var leaving = new CancellationTokenSource();
        var first = shared.Join("a", WaitForever, leaving.Token);

        leaving.Cancel();

        await Should.ThrowAsync<OperationCanceledException>(() => first);
        await Wait.For(ended.Task); // it is told at once
        (await shared.Join("a", _ => Task.FromResult(7), CancellationToken.None)).ShouldBe(7);

        async Task<int> WaitForever(CancellationToken abandoned)
        {
            await using var _ = abandoned.Register(ended.SetResult);
            await Task.Delay(Timeout.Infinite, abandoned);
            return 0;
        }
    }

    [Fact]
    public async Task What_goes_wrong_reaches_every_caller_and_is_not_kept()
    {
        var shared = new SharedWork<string, int>();
        var go = new TaskCompletionSource();
        var callers = Enumerable.Range(0, 3).Select(_ => shared.Join("a", Fail, CancellationToken.None)).ToList();

        go.SetResult();

        foreach (var caller in callers)
            await Should.ThrowAsync<InvalidOperationException>(() => caller);
        (await shared.Join("a", _ => Task.FromResult(1), CancellationToken.None)).ShouldBe(1);

        async Task<int> Fail(CancellationToken abandoned)
        {
            await go.Task;
            throw new InvalidOperationException();
        }
    }

    /// <summary>A model of who waits for what, against the real thing, over any order of coming, leaving and finishing.</summary>
    [Fact]
    public void In_any_order_of_coming_leaving_and_finishing_work_is_shared_and_ends_when_nobody_wants_it()
    {
        var steps = Gen.Elements("come a", "come b", "leave", "finish a", "finish b").ListOf();
        Check.QuickThrowOnFailure(Prop.ForAll(steps.ToArbitrary(), run => Follow(run.ToList()).GetAwaiter().GetResult()));
    }

    [Fact]
    public async Task Under_a_storm_of_callers_who_come_and_go_everybody_who_stays_is_served()
    {
        var shared = new SharedWork<int, int>();
        var served = 0;
        await Parallel.ForAsync(0, 20_000, TestContext.Current.CancellationToken, async (i, _) =>
        {
            var random = new Random(i);
            var key = random.Next(8);
            using var patience = new CancellationTokenSource();
            var joined = shared.Join(key, Work, patience.Token);
            if (random.Next(3) == 0)
                await patience.CancelAsync();
            try
            {
                (await joined).ShouldBe(key);
                Interlocked.Increment(ref served);
            }
            catch (OperationCanceledException)
            {
                patience.IsCancellationRequested.ShouldBeTrue("only who leaves is cancelled");
            }

            async Task<int> Work(CancellationToken abandoned)
            {
                await Task.Yield();
                abandoned.ThrowIfCancellationRequested();
                return key;
            }
        });

        served.ShouldBeGreaterThan(10_000); // two thirds never left
    }

    private static async Task Follow(List<string> steps)
    {
        var shared = new SharedWork<string, int>();
        var flights = new Dictionary<string, (TaskCompletionSource<int> Work, List<(Task<int> Task, CancellationTokenSource Leave)> Callers)>();
        var started = 0;
        foreach (var step in steps)
        {
            var key = step[^1..];
            switch (step.Split(' ')[0])
            {
                case "come":
                    Come(key);
                    break;
                case "leave":
                    await Leave();
                    break;
                default:
                    await Finish(key);
                    break;
            }
        }

        void Come(string key)
        {
            var before = started;
            var work = new TaskCompletionSource<int>();
            var leave = new CancellationTokenSource();
            var task = shared.Join(key, abandoned => { started++; return work.Task.WaitAsync(abandoned); }, leave.Token);
            (started > before).ShouldBe(!flights.ContainsKey(key), "only the first starts the work");
            if (!flights.TryGetValue(key, out var flight))
                flights[key] = flight = (work, []);
            flight.Callers.Add((task, leave));
        }

        async Task Leave()
        {
            if (flights.Count == 0)
                return;
            var (key, flight) = flights.First();
            var (task, leave) = flight.Callers[0];
            await leave.CancelAsync();
            await Should.ThrowAsync<OperationCanceledException>(() => task);
            flight.Callers.RemoveAt(0);
            if (flight.Callers.Count == 0)
                flights.Remove(key);
        }

        async Task Finish(string key)
        {
            if (!flights.Remove(key, out var flight))
                return;
            flight.Work.SetResult(42);
            foreach (var (task, _) in flight.Callers)
                (await task).ShouldBe(42);
        }
    }
}
