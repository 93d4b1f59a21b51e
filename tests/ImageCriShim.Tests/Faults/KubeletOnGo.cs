using System.Text;
using System.Text.Json.Nodes;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Faults;

/// <summary>
/// What kubelet's own stack, with kubelet's own connection parameters, makes of restarts and of a runtime on that stack. It mostly waits
/// and needs no <see cref="FaultNode"/>, so it runs while others use that.
/// </summary>
[Trait("suite", "faults")]
public sealed class KubeletOnGo : IDisposable
{
    private readonly TempDirectory _directory = new();

    public static TheoryData<Stack> Versions => [Stack.Go, Stack.OldGo];

    public void Dispose() => _directory.Dispose();

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Upgrades_of_the_shim_fail_no_call(Stack version)
    {
        var load = new JsonObject { ["pulls"] = new JsonArray("a:1", "b:1") };

        var sums = await Load("shim upgraded five times (socket unit)", version, load, async shim =>
        {
            for (var upgrade = 0; upgrade < 5; upgrade++)
            {
                await shim.Restart();
                await Task.Delay(500); // so that the new one has served
            }

            shim.Starts.ShouldBe(6);
        });

        sums.ShouldNotHaveFailed();
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task A_runtime_that_ends_connections_by_age_fails_no_call(Stack version)
    {
        var sums = await Load(
            "runtime with MaxConnectionAge 0.4 s", version, [], _ => ServeFor(TimeSpan.FromSeconds(3)), "--max-connection-age", "400");

        sums.ShouldNotHaveFailed();
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task A_runtime_that_ends_connections_by_age_during_pulls_fails_none(Stack version)
    {
        var load = new JsonObject { ["pulls"] = new JsonArray("a:1"), ["pull"] = "b:1" };

        var sums = await Load("runtime with MaxConnectionAge 1 s, pulls that take 4 s", version, load, _ => Task.CompletedTask,
            "--max-connection-age", "1000", "--slow-pulls", "4");

        sums.ShouldNotHaveFailed();
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task A_runtime_that_stops_gracefully_ends_a_pull_well(Stack version)
    {
        var load = new JsonObject { ["alone"] = true, ["pull"] = "b:1" };

        var sums = await Load("runtime that stops gracefully during a pull", version, load, async _ =>
        {
            await using var caller = await RawCaller.ConnectAsync(_directory.File("cri.sock"));
            Task<RawAnswer> Control(string asked) => caller.CallAsync("/test.Fake/Control", Encoding.UTF8.GetBytes(asked));
            await Wait.Until(
                async () => Encoding.UTF8.GetString((await Control("""{"op":"calls"}""")).Single).Contains("\"PullImage\""), "it pulls");
            await Control("""{"op":"stop","grace":60}""");
        }, "--slow-pulls", "4");

        sums.ShouldNotHaveFailed();
        sums.Long.ShouldHaveSingleItem();
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Pings_beside_a_pull_are_allowed_as_they_are_without_the_shim(Stack version)
    {
        var load = new JsonObject { ["alone"] = true, ["pull"] = "b:1", ["ping"] = 200 };

        var sums = await Load(
            "PINGs each 0.2 s during a pull", version, load, _ => Task.CompletedTask, "--min-ping-interval", "100", "--slow-pulls", "4");

        sums.ShouldNotHaveFailed();
    }

    [Fact]
    public async Task Slow_pulls_beside_all_other_calls_end_well()
    {
        var load = new JsonObject { ["pulls"] = new JsonArray("a:1"), ["pull"] = "b:1", ["exec"] = 3, ["subscribe"] = true };

        var sums = await Load("pulls that take 2 s", Stack.Go, load, _ => ServeFor(TimeSpan.FromSeconds(5)), "--slow-pulls", "2");

        sums.ShouldNotHaveFailed();
        sums.Long.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Pings_beside_a_call_that_the_runtime_answers_are_allowed_as_they_are_without_the_shim()
    {
        var load = new JsonObject { ["alone"] = true, ["exec"] = 3, ["ping"] = 200 };

        var sums = await Load("PINGs each 0.2 s during an ExecSync", Stack.Go, load, _ => Task.CompletedTask, "--min-ping-interval", "100");

        sums.ShouldNotHaveFailed();
    }

    private static Task ServeFor(TimeSpan time) => Task.Delay(time); // what is looked for may happen at any moment of it

    private async Task<KubeletSums> Load(
        string fault, Stack version, JsonObject load, Func<SupervisedShim, Task> suffer, params string[] flags)
    {
        load["probe"] = RawConnection.Patience.TotalSeconds; // kubelet's second is about the machine, not about the shim
        var socket = _directory.File("cri.sock");
        await using var runtime = await PeerRuntime.StartAsync(Stack.Go, socket, flags);
        var yaml = $"image: {_directory.File("state")}\naddress: http://127.0.0.1:1\nmetrics: off"; // port 1: nobody listens
        await using var shim = await SupervisedShim.Start(_directory, socket, yaml, holdsSocket: true);
        await using var kubelet = await GoKubelet.StartAsync(version, shim.SocketPath, load);
        await suffer(shim);
        var sums = await kubelet.FinishAsync();
        Report.Write([$"{version}: {fault}: {sums.Figures}"]);
        return sums;
    }
}
