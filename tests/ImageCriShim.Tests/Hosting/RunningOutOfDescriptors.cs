using ImageCriShim.Tests.EndToEnd.State;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Relay;

namespace ImageCriShim.Tests.Hosting;

/// <summary>The limit on open files is reached: whoever is concerned is told which limit it is, and when there is room again all goes on.</summary>
[Trait("suite", "endtoend")]
public sealed class RunningOutOfDescriptors : DaemonTest
{
    private const string Pull = CriRelayTest.ImageService + "PullImage";

    [Fact]
    public async Task New_callers_are_told_and_served_again_when_others_have_gone()
    {
        const int most = 200; // below the bound on connections
        StartRuntime();
        var shim = await StartShim();
        var callers = new List<RawCaller>();
        (await CallFromNew(callers)).Status.ShouldBe(0); // it stays, so that what is counted next stays too
        var limit = Limit(shim, Open(shim) + 60); // on the number that a new one may have; what is above it stays open
        var refusals = new List<string>();
        while (refusals.Count < 4 && callers.Count < most) // in a row: a call of our own that has ended may have left room for one caller more
        {
            var answer = await CallFromNew(callers);
            if (answer.Status == 0)
                refusals.Clear();
            else
                refusals.Add(answer.Message);
        }

        refusals.Count.ShouldBe(4);
        refusals.ShouldAllBe(message => message.Contains($"this process has hardly a file descriptor left; its limit is {limit} (LimitNOFILE of its unit, ulimit -n)"));
        Open(shim).ShouldBeLessThan(limit - 10); // what it needs for itself, it still has
        (await callers[0].CallAsync("/test.Fake/Unary", [1])).Status.ShouldBe(0); // who is there already is not concerned

        foreach (var caller in callers)
            await caller.DisposeAsync();
        shim.Output.ShouldNotContain("defect");
        await Wait.Until(() => Open(shim) <= limit - 50, "the ends have been noticed");
        (await Call()).Status.ShouldBe(0);
    }

    [Fact]
    public async Task Where_even_the_reserve_is_used_up_callers_are_told_too()
    {
        StartRuntime();
        var shim = await StartShim();
        var callers = new List<RawCaller>();
        int[] taken;
        do
        {
            taken = OpenNumbers(shim);
            (await CallFromNew(callers)).Status.ShouldBe(0);
        }
        while (OpenNumbers(shim).Except(taken).FirstOrDefault() < Spare(shim)); // as where a limit has been reached: below it no number is free

        var before = callers[0];

        var limit = Limit(shim, LowestFreeAbove(shim, Spare(shim))); // nothing else can be opened
        for (var i = 0; i < 3; i++)
        {
            await using var caller = await RawCaller.ConnectAsync(ShimSocketPath);
            (await caller.CallAsync("/test.Fake/Unary", [1])).Message.ShouldContain($"file descriptor left; its limit is {limit} (LimitNOFILE of its unit, ulimit -n)");
        }

        (await before.CallAsync("/test.Fake/Unary", [1])).Status.ShouldBe(0);
        Limit(shim, 1000);
        (await Call()).Status.ShouldBe(0);
        foreach (var caller in callers)
            await caller.DisposeAsync();
    }

    [Fact]
    public async Task A_pull_is_told_and_the_registry_is_not_taken_for_down()
    {
        StartRuntime();
        await using var registry = FakeRegistry.Start();
        registry.Behave = _ => FakeAnswer.Manifest(FakeRegistry.OciManifest);
        var shim = await StartShim($"address: {registry.Address}\nofflineOnly: true\n");
        await using var caller = await RawCaller.ConnectAsync(ShimSocketPath);
        (await caller.CallAsync(Pull, CriRelayTest.For("before:1"))).Status.ShouldBe(0);
        registry.Behave = _ =>
        {
            var last = FakeAnswer.Manifest(FakeRegistry.OciManifest);
            last.Headers["Connection"] = "close"; // so that the next question needs a connection
            return last;
        };
        (await caller.CallAsync(Pull, CriRelayTest.For("closes:1"))).Status.ShouldBe(0);

        var limit = Limit(shim, 3); // what is open stays so; nothing else can be opened
        var refused = await caller.CallAsync(Pull, CriRelayTest.For("during:1"));
        refused.Status.ShouldNotBe(0);
        refused.Message.ShouldContain($"its limit is {limit}");

        Limit(shim, 1000);
        (await caller.CallAsync(Pull, CriRelayTest.For("during:1"))).Status.ShouldBe(0);
        shim.Output.ShouldNotContain("set aside");
        (await shim.StopAsync()).ShouldBe(0);
        File.ReadAllText(Directory.File("state/pulls.json")).ShouldContain("during:1");
    }

    private async Task<RawAnswer> CallFromNew(List<RawCaller> callers)
    {
        callers.Add(await RawCaller.ConnectAsync(ShimSocketPath));
        return await callers[^1].CallAsync("/test.Fake/Unary", [1]);
    }

    private static int Limit(ShimProcess shim, int limit)
    {
        Disk.Run("prlimit", "--pid", $"{shim.Id}", $"--nofile={limit}:1000");
        return limit;
    }

    private static int Open(ShimProcess shim) => OpenNumbers(shim).Length;

    /// <summary>Which the shim keeps for telling one caller more that it has no other.</summary>
    private static int Spare(ShimProcess shim) => OpenNumbers(shim).Last(number => FindTarget($"/proc/{shim.Id}/fd/{number}") == "/dev/null");

    /// <returns>Null where it has been closed since it was listed.</returns>
    private static string? FindTarget(string descriptor)
    {
        try
        {
            return File.ResolveLinkTarget(descriptor, returnFinalTarget: false)?.FullName;
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    /// <summary>When the shim does not read a file of /proc just then, which it does for a moment now and then (ColdPages).</summary>
    private static int LowestFreeAbove(ShimProcess shim, int number) => Enumerable.Range(0, 20).Min(_ =>
    {
        Thread.Sleep(5); // between two looks: nobody tells
        return Enumerable.Range(number, 1000).Except(OpenNumbers(shim)).First();
    });

    /// <summary>Without those that a thread in accept(2) or open(2) has been given and waits for: nobody shows them.</summary>
    private static int[] OpenNumbers(ShimProcess shim) =>
        [.. System.IO.Directory.GetFileSystemEntries($"/proc/{shim.Id}/fd").Select(path => int.Parse(Path.GetFileName(path))).Order()];
}
