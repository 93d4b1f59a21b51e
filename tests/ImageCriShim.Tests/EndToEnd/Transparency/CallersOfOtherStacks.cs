using ImageCriShim.Tests.Fakes;
namespace ImageCriShim.Tests.EndToEnd.Transparency;

/// <summary>Callers and runtimes that nobody here wrote observe through the shim what they observe without it.</summary>
[Trait("suite", "endtoend")]
[Collection<ByTheClock>]
public sealed class CallersOfOtherStacks
{
    /// <summary>The promise for a cancellation, from the caller's deed to the runtime's knowledge.</summary>
    private const double CancellationMilliseconds = 100;

    public static TheoryData<Stack, string, string, string> Pairs
    {
        get
        {
            var pairs = new TheoryData<Stack, string, string, string>();
            foreach (var (caller, runtime, group) in Groups)
                foreach (var scenario in Scenarios.Of(caller, group))
                    pairs.Add(caller, runtime, group, scenario);
            return pairs;
        }
    }

    private static readonly (Stack Caller, string Runtime, string Group)[] Groups =
    [
        (Stack.Python, "python", "calls"), (Stack.Python, "node", "calls"), (Stack.Python, "raw", "calls"),
        (Stack.Node, "python", "calls"), (Stack.Node, "node", "calls"), (Stack.Node, "raw", "calls"),
        (Stack.Python, "python", "strict"), (Stack.Python, "python", "age"), (Stack.Node, "python", "age"), (Stack.Node, "node", "age"),
        (Stack.Python, "python", "shutdown"), (Stack.Node, "python", "shutdown"), (Stack.Python, "node", "shutdown"),
        (Stack.Python, "containerd", "containerd"), (Stack.Node, "containerd", "containerd"),
        (Stack.Go, "go", "calls"), (Stack.Go, "python", "calls"), (Stack.Go, "node", "calls"), (Stack.Go, "raw", "calls"),
        (Stack.Python, "go", "calls"), (Stack.Node, "go", "calls"), (Stack.OldGo, "go", "calls"), (Stack.OldGo, "python", "calls"),
        (Stack.Go, "go", "strict"), (Stack.Go, "python", "strict"), (Stack.Python, "go", "strict"), (Stack.OldGo, "go", "strict"),
        (Stack.Go, "go", "age"), (Stack.Go, "python", "age"), (Stack.Go, "node", "age"), (Stack.Python, "go", "age"),
        (Stack.Node, "go", "age"), (Stack.Go, "go", "shutdown"), (Stack.Go, "python", "shutdown"), (Stack.Go, "node", "shutdown"),
        (Stack.Python, "go", "shutdown"), (Stack.Node, "go", "shutdown"), (Stack.OldGo, "go", "shutdown"),
        (Stack.Go, "containerd", "containerd"), (Stack.OldGo, "containerd", "containerd"),
    ];

    public static TheoryData<Stack, string, string> AllGroups
    {
        get
        {
            var groups = new TheoryData<Stack, string, string>();
            foreach (var (caller, runtime, group) in Groups) groups.Add(caller, runtime, group);
            return groups;
        }
    }

    public static TheoryData<Stack, string> CancellingPairs
    {
        get
        {
            var pairs = new TheoryData<Stack, string>();
            foreach (var (caller, runtime, _) in Groups.Where(pair => pair.Group == "calls")) pairs.Add(caller, runtime);
            return pairs;
        }
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task See_the_same_through_the_shim(Stack caller, string runtime, string group, string scenario)
    {
        var comparison = await Comparison.OfAsync(caller, runtime, group);
        comparison.Direct.Keys.ShouldContain(scenario);
        comparison.Direct[scenario].Result.ToJsonString().ShouldNotContain("\"broke\"");
        comparison.Through.Keys.ShouldContain(scenario);
        Difference.Of(comparison.Direct[scenario].Result, comparison.Through[scenario].Result).ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(AllGroups))]
    public async Task Run_no_scenario_that_is_not_listed(Stack caller, string runtime, string group)
    {
        var comparison = await Comparison.OfAsync(caller, runtime, group);
        comparison.Direct.Keys.ShouldBe(Scenarios.Of(caller, group), ignoreOrder: true);
    }

    /// <summary>The best of the attempts counts: on a busy machine any one of them may wait for a processor, with or without us.</summary>
    [Theory]
    [MemberData(nameof(CancellingPairs))]
    public async Task Have_a_cancellation_seen_by_the_runtime_within_100_ms(Stack caller, string runtime)
    {
        var comparison = await Comparison.OfAsync(caller, runtime, "calls");
        var attempts = comparison.Through["cancellation_is_seen"].Measured["cancellation ms"]!.AsArray();
        attempts.Min(ms => (double)ms!).ShouldBeInRange(0, CancellationMilliseconds);
    }
}
