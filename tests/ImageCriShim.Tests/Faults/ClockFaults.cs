using System.Text.Json.Nodes;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.Faults;

/// <summary>Somebody sets the node's clock. For the shim alone, by libfaketime: time goes on as it did, and so do timers.</summary>
[Collection<FaultTests>]
[Trait("suite", "faults")]
public sealed class ClockFaults(FaultNode node)
{
    private static readonly string s_library = Path.Combine(Lab.Cache, "tools/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1");

    [Theory]
    [InlineData("forward", "+1h")]
    [InlineData("back", "-1h")]
    public async Task A_clock_that_jumps_by_an_hour_fails_no_call(string direction, string offset)
    {
        using var directory = new TempDirectory();
        var clock = directory.File("clock");
        var state = directory.File("state");
        await File.WriteAllTextAsync(clock, "+0", TestContext.Current.CancellationToken);
        await using var scene = await Scene.Set(node, $"clock jumps an hour {direction}", new()
        {
            StateDirectory = state,
            Within = $"export LD_PRELOAD={s_library} FAKETIME_TIMESTAMP_FILE={clock} FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1; exec \"$@\"",
        });

        var effect = await scene.Suffer(
            async () =>
            {
                await Set(clock, offset);
                var seen = DateTimeOffset.UtcNow + TimeSpan.FromHours(offset == "+1h" ? 1 : -1);
                await Wait.Until(() => Pulled(state).Any(at => IsAbout(at, seen)), "the record has the time that the shim sees");
            },
            TimeSpan.FromSeconds(4),
            () => Set(clock, "+0"), untilPulled: true);

        effect.ShouldNotHaveFailed().ShouldHavePulledMeanwhile();
        scene.Shim.Starts.ShouldBe(1);
    }

    private static async Task Set(string clock, string to)
    {
        await File.WriteAllTextAsync($"{clock}.new", to); // it is read all the time
        File.Move($"{clock}.new", clock, overwrite: true);
    }

    private static IEnumerable<DateTimeOffset> Pulled(string state)
    {
        var file = Path.Combine(state, "pulls.json"); // replaced whole
        return File.Exists(file) ? JsonNode.Parse(File.ReadAllText(file))!["pulls"]!.AsArray().Select(pull => (DateTimeOffset)pull!["at"]!) : [];
    }

    private static bool IsAbout(DateTimeOffset one, DateTimeOffset other) => (one - other).Duration() < TimeSpan.FromMinutes(5);
}
