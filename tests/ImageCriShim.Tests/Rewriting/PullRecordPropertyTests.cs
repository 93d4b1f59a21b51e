using ImageCriShim.Images;
using ImageCriShim.Rewriting;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Rewriting;

/// <summary>Whatever is recorded and forgotten in whatever order, the names that are shown are those of a list searched from end to end.</summary>
public sealed class PullRecordPropertyTests
{
    private static readonly DateTimeOffset s_start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly string[] s_hosts = ["", "docker.io/library/", "quay.io/library/", "hub.local:5000/library/", "mirror.local/x/library/"];
    private static readonly string[] s_tails = ["", ":1", ":2", $"@{Digest('a')}", $":1@{Digest('b')}"];
    private static readonly string[] s_ids = [$"{Digest('1')}", $"{Digest('2')}", new string('3', 64), $"hub.local:5000/library/a@{Digest('a')}"];

    [Fact]
    public void The_record_holds_against_its_model()
    {
        for (var seed = 1; seed <= 50; seed++)
            Hold(seed, steps: 120);
    }

    [Fact]
    public async Task Adding_and_forgetting_from_many_threads_leaves_names_that_fit_the_record_and_reading_never_fails()
    {
        var record = new PullRecord([]);
        var names = record.Names;
        using var stop = new CancellationTokenSource();
        var readers = Enumerable.Range(0, 2).Select(number => Task.Factory.StartNew(() =>
        {
            var random = new Random(number);
            while (!stop.IsCancellationRequested)
            {
                Look(names, random);
                _ = record.Snapshot.Count;
                _ = record.Find(Name(random));
            }
        }, TaskCreationOptions.LongRunning)).ToArray();
        Parallel.For(0, 8, thread =>
        {
            var random = new Random(thread);
            for (var i = 0; i < 3000; i++)
                Change(record, random, s_start.AddSeconds(i), out _);
        });
        await stop.CancelAsync();
        await Wait.For(Task.WhenAll(readers));

        var afresh = new PullRecord(record.All).Names;
        foreach (var name in AllNames())
        {
            Same(names.OfTag(name).Order(), afresh.OfTag(name).Order(), name);
            foreach (var id in s_ids)
                Same(names.OfRepository(Parse(name).Name, id).Order(), afresh.OfRepository(Parse(name).Name, id).Order(), name);
        }

        foreach (var id in s_ids)
            Same(names.OfImage(id).OrderBy(pull => pull.Key), afresh.OfImage(id).OrderBy(pull => pull.Key), id);
    }

    private static void Hold(int seed, int steps)
    {
        var random = new Random(seed);
        var record = new PullRecord([]);
        var model = new List<RecordedPull>(); // in the order of their pulls
        var whenAsked = random.Next(steps); // the names are made when they are first asked for
        for (var step = 0; step < steps; step++)
        {
            Change(record, random, s_start.AddSeconds(step), out var change);
            change(model);
            if (step >= whenAsked)
                Compare(record, model, $"seed {seed}, step {step}");
        }
    }

    private static void Compare(PullRecord record, List<RecordedPull> model, string where)
    {
        Same(record.All, model, where);
        Same(record.Snapshot.OrderBy(pull => pull.At), model, where);
        record.Names.IsEmpty.ShouldBe(model.Count == 0, where);
        foreach (var name in AllNames())
        {
            var tagged = model.Where(pull => pull.ActualName!.Kept == name).Select(pull => pull.GivenName!.Tagged).OfType<string>().Reverse().Distinct();
            Same(record.Names.OfTag(name), tagged, where);
            record.Find(name).ShouldBeSameAs(model.LastOrDefault(pull => RecordedPull.KeysOf(name).Contains(pull.Key)), where);
        }

        foreach (var id in s_ids.Append(Digest('9')))
        {
            var ofImage = model.Where(pull => Bare(pull.ImageRef) == Bare(id)).ToList();
            Same(record.Names.OfImage(id), ofImage, where);
            foreach (var repository in AllNames().Select(name => Parse(name).Name).Distinct())
            {
                var all = model.Where(pull => pull.ActualName!.Name == repository).Select(pull => pull.GivenName!.Name).Distinct().ToList();
                var own = ofImage.Where(pull => pull.ActualName!.Name == repository).Select(pull => pull.GivenName!.Name).Distinct().ToList();
                Same(record.Names.OfRepository(repository, id).Order(), (own.Count > 0 ? own : all).Order(), where);
            }
        }
    }

    private static void Same<T>(IEnumerable<T> seen, IEnumerable<T> expected, string where)
    {
        if (!seen.SequenceEqual(expected))
            seen.ShouldBe(expected, customMessage: where); // which says where they differ, and is slow
    }

    /// <param name="inModel">The same for a list.</param>
    private static void Change(PullRecord record, Random random, DateTimeOffset now, out Action<List<RecordedPull>> inModel)
    {
        if (random.Next(3) > 0)
        {
            var pull = new RecordedPull(Name(random), Name(random), "hub", s_ids[random.Next(s_ids.Length)], now, PulledWith.NodesOwn);
            record.Add(pull);
            inModel = model =>
            {
                model.RemoveAll(other => other.Key == pull.Key);
                model.Add(pull);
            };
        }
        else if (random.Next(2) == 0)
        {
            string[] names = [random.Next(2) == 0 ? Parse(Name(random)).Kept : s_ids[random.Next(s_ids.Length)], Name(random)];
            record.Forget(names);
            inModel = model => model.RemoveAll(pull =>
                names.Any(name => RecordedPull.KeysOf(name).Contains(pull.Key) || pull.Actual == name || Bare(pull.ImageRef) == Bare(name)));
        }
        else
        {
            var some = record.Snapshot.Where((_, i) => i % 5 == 2).ToList();
            record.Forget(some);
            record.Forget([new RecordedPull(Name(random), Name(random), "hub", s_ids[0], now, PulledWith.NodesOwn)]); // one that is not in it
            inModel = model => model.RemoveAll(some.Contains);
        }
    }

    private static void Look(GivenNames names, Random random)
    {
        var name = Name(random);
        _ = names.OfTag(name).Sum(given => given.Length);
        _ = names.OfRepository(Parse(name).Name, s_ids[random.Next(s_ids.Length)]).Sum(given => given.Length);
        _ = names.OfImage(s_ids[random.Next(s_ids.Length)]).Sum(pull => pull.Given.Length);
    }

    private static IEnumerable<string> AllNames() =>
        from host in s_hosts
        from name in new[] { "a", "b" }
        from tail in s_tails
        select Parse(host + name + tail).Kept;

    private static string Name(Random random) =>
        s_hosts[random.Next(s_hosts.Length)] + (random.Next(2) == 0 ? "a" : "b") + s_tails[random.Next(s_tails.Length)];

    private static string Bare(string id) => id.Split('@')[^1] is var digest && digest.StartsWith("sha256:", StringComparison.Ordinal) ? digest["sha256:".Length..] : digest;

    private static Reference Parse(string name)
    {
        Reference.TryParse(name, out var reference).ShouldBeTrue(name);
        return reference;
    }

    private static string Digest(char hex) => "sha256:" + new string(hex, 64);
}
