using System.Diagnostics;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Relay;

/// <summary>
/// Header bombs and floods cost us less than who sends them, who here pays for no more than frames and system calls, and for the
/// runtime where they get through to it. Other connections never notice.
/// </summary>
[Trait("suite", "endtoend")]
[Collection(nameof(Alone))] // the attacker's processor time is that of this process
public sealed class Floods : IAsyncLifetime
{
    private const long MaxGrowth = 100 * 1024 * 1024;

    private readonly TempDirectory _directory = new();
    private FakeRuntime _runtime = null!;
    private ShimProcess _shim = null!;

    /// <summary>One entry of 4,000 octets in the dynamic table, then referred to by one octet as often as a frame holds.</summary>
    internal static Frame Bomb(int stream)
    {
        var block = new List<byte> { 0x40 };
        Hpack.AddString(block, "x");
        Hpack.AddString(block, new string('y', 4_000));
        block.AddRange(Enumerable.Repeat((byte)0xbe, 16_384 - block.Count));
        return Frame.Headers(stream, block.ToArray(), end: true);
    }

    public async ValueTask InitializeAsync()
    {
        _runtime = FakeRuntime.Start(_directory.File("cri.sock"), new() { Record = false });
        _runtime.KeepCalls = false;
        _shim = await ShimProcess.StartAsync(_directory, _runtime.SocketPath);
    }

    public async ValueTask DisposeAsync()
    {
        await _shim.DisposeAsync();
        await _runtime.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public Task Of_header_bombs() => Withstands(async () =>
    {
        for (var i = 0; i < 300; i++)
        {
            await using var attacker = await Attack();
            attacker.Connection.Send(Bomb(1));
            await Wait.For(attacker.Connection.Closed);
        }
    });

    [Fact]
    public Task Of_CONTINUATION_frames() => Withstands(async () =>
    {
        for (var i = 0; i < 100; i++)
        {
            await using var attacker = await Attack();
            attacker.Connection.Send(Frame.Headers(1, [], endHeaders: false));
            for (var frame = 0; frame < 300; frame++)
                attacker.Connection.Send(Frame.Continuation(1, [], endHeaders: false));
            await Wait.For(attacker.Connection.Closed);
        }
    });

    [Fact]
    public Task Of_SETTINGS() => Withstands(async () =>
    {
        await using var attacker = await Attack();
        for (var i = 0; i < 50_000; i++)
            attacker.Connection.Send(Frame.SettingsOf((Http2Setting.InitialWindowSize, (uint)i)));
        await attacker.Connection.PingAsync();
    });

    [Fact]
    public Task Of_PINGs() => Withstands(async () =>
    {
        await using var attacker = await Attack();
        for (ulong i = 0; i < 50_000; i++)
            attacker.Connection.Send(Frame.Ping(i));
        await attacker.Connection.PingAsync(99_999_999);
    });

    [Theory]
    [InlineData("/test.Fake/Unary")]
    [InlineData("/runtime.v1.ImageService/ImageStatus")]
    [InlineData("/runtime.v1.ImageService/PullImage")]
    public Task Of_streams_opened_and_reset(string path) => Withstands(async () =>
    {
        await using var attacker = await Attack();
        for (var i = 0; i < 10_000; i++)
        {
            var stream = attacker.Start(path);
            await stream.SendMessageAsync(CriRelayTest.For("nginx"), end: true);
            stream.Cancel();
        }

        await attacker.Connection.PingAsync();
    });

    private Task<RawCaller> Attack() => RawCaller.ConnectAsync(_shim.SocketPath, new() { Record = false });

    // What a process uses of processors depends on what else runs: once of three times must do.
    private async Task Withstands(Func<Task> attack)
    {
        var (ours, theirs) = await Endure(attack);
        for (var again = 0; again < 2 && ours >= theirs; again++)
            (ours, theirs) = await Endure(attack);
        ours.ShouldBeLessThan(theirs);
    }

    private async Task<(TimeSpan Ours, TimeSpan Theirs)> Endure(Func<Task> attack)
    {
        await using var live = await RawCaller.ConnectAsync(_shim.SocketPath, new() { Record = false });
        for (var i = 0; i < 500; i++)
            (await live.CallAsync("/test.Fake/Unary", [1])).Status.ShouldBe(0); // warm on both sides
        var (ours, theirs, memory) = (_shim.CpuTime, Environment.CpuUsage.TotalTime, _shim.ResidentBytes);

        var attacking = attack();
        var slowest = TimeSpan.Zero;
        while (!attacking.IsCompleted)
        {
            var begin = Stopwatch.GetTimestamp();
            (await live.CallAsync("/test.Fake/Unary", [1])).Status.ShouldBe(0);
            slowest = Stopwatch.GetElapsedTime(begin) > slowest ? Stopwatch.GetElapsedTime(begin) : slowest;
            await Task.Delay(5, TestContext.Current.CancellationToken); // an ordinary caller does not call all the time
        }

        await attacking;
        (ours, theirs) = (_shim.CpuTime - ours, Environment.CpuUsage.TotalTime - theirs);
        var growth = _shim.ResidentBytes - memory;
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"processor: ours {ours.TotalMilliseconds} ms, theirs {theirs.TotalMilliseconds} ms; "
            + $"slowest call meanwhile {slowest.TotalMilliseconds} ms; {growth / 1024} KiB more");
        slowest.ShouldBeLessThan(TimeSpan.FromSeconds(10)); // attacker, runtime and caller share a process and two processors
        growth.ShouldBeLessThan(MaxGrowth);
        return (ours, theirs);
    }
}

/// <summary>Tests that measure run while no others do.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
