using System.Collections.Concurrent;
using ImageCriShim.Metrics;
using ImageCriShim.Relay;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Relay;

/// <summary>
/// Frames bent in every way, from both sides at once: a connection may end, and nothing else may happen. A caller beside them, whose
/// calls share the process and its threads with theirs, never notices.
/// </summary>
public sealed class FuzzTests : IDisposable
{
    private const int FramesPerConnection = 3000;

    private readonly TempDirectory _directory = new();
    private readonly HeldBytes _held = new(RelayLimits.HeldBytes);
    private readonly ConcurrentDictionary<string, int> _ends = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public Task Mutated_frames_end_connections_at_most() => Fuzz(firstSeed: 1, mutations: 30_000);

    [Fact]
    [Trait("suite", "slow")]
    public Task A_million_mutated_frames_end_connections_at_most() => Fuzz(firstSeed: 1_000_000, mutations: 1_000_000);

    private async Task Fuzz(int firstSeed, int mutations)
    {
        await using var runtime = FakeRuntime.Start(_directory.File("cri.sock"), new RawOptions { Record = false });
        foreach (var kind in TestEdits.Kinds)
            runtime.On(TestEdits.PathOf(kind), async call => await call.AnswerAsync(await call.ReadRequestAsync()));
        var log = new CapturingLog();
        using var bystander = Bystander(runtime.SocketPath, log);
        await using var caller = await RawCaller.ConnectAsync(_directory.File("shim.sock"), new RawOptions { Record = false });
        await CallAll(caller);

        var (seed, mutated) = (firstSeed, 0);
        var fuzzing = Enumerable.Range(0, Environment.ProcessorCount).Select(_ => Task.Factory.StartNew(() =>
        {
            while (Volatile.Read(ref mutated) < mutations)
                Interlocked.Add(ref mutated, FuzzConnection(Interlocked.Increment(ref seed)));
        }, TaskCreationOptions.LongRunning)).ToArray();
        var all = Task.WhenAll(fuzzing);
        while (!all.IsCompleted)
        {
            await CallAll(caller);
            await Task.WhenAny(all, Task.Delay(20, TestContext.Current.CancellationToken)); // calls all the time would fill the fake's list of calls
        }

        await all;
        await CallAll(caller);
        await caller.DisposeAsync();
        log.Lines.ShouldBeEmpty();
        runtime.Faults.Where(fault => fault is not StreamResetException).ShouldBeEmpty(); // calls that we answer are reset
        await runtime.DisposeAsync();
        SpinWait.SpinUntil(() => bystander.Connections == 0, RawConnection.Patience).ShouldBeTrue();
        _held.Current.ShouldBe(0);
        TestContext.Current.TestOutputHelper?.WriteLine($"{mutated} mutated frames over {seed - firstSeed} connections, which ended:");
        foreach (var (end, count) in _ends.OrderByDescending(end => end.Value).Take(20))
            TestContext.Current.TestOutputHelper?.WriteLine($"{count,6} {end}");
    }

    /// <returns>How many mutated frames went in.</returns>
    private int FuzzConnection(int seed)
    {
        using var front = new SocketPair();
        using var back = new SocketPair();
        var log = new CapturingLog();
        var caller = new FuzzCaller(front.Near, new Random(seed));
        var runtime = new FuzzRuntime(back.Far, new Random(-seed));
        var relay = new RelayConnection(front.Far, back.Near, TestEdits.Route, _held, new CallCounts(), log);
        Thread[] threads =
        [
            new(relay.Run) { IsBackground = true, Name = "relay" },
            new(runtime.Run) { IsBackground = true, Name = "fuzz runtime" },
            new(() => caller.Run(FramesPerConnection)) { IsBackground = true, Name = "fuzz caller" },
        ];
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join(RawConnection.Patience).ShouldBeTrue($"seed {seed}: the connection hangs in '{thread.Name}'");
        log.Defects.ShouldBeEmpty($"seed {seed}");
        _ends.AddOrUpdate(log.Lines.FirstOrDefault("whole"), 1, (_, count) => count + 1);
        return caller.Mutated + runtime.Mutated;
    }

    private static async Task CallAll(RawCaller caller)
    {
        var message = new byte[100];
        (await caller.CallAsync("/test.Fake/Unary", message)).Single.ShouldBe(message);
        foreach (var kind in TestEdits.Kinds)
        {
            var answer = await caller.CallAsync(TestEdits.PathOf(kind), message);
            answer.Status.ShouldBe(0);
            answer.Single.ShouldBe(TestEdits.IsRuntimes(kind) ? message : "answered"u8.ToArray());
        }
    }

    private ListeningRelay Bystander(string runtimeSocket, CapturingLog log) =>
        new(_directory.File("shim.sock"), runtimeSocket, TestEdits.Route, log);
}
