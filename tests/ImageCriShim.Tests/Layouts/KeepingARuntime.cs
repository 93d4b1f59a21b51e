using ImageCriShim.Inspection;
using ImageCriShim.Tests.Installation;

namespace ImageCriShim.Tests.Layouts;

/// <summary>On nodes of every layout, nothing that this program does leaves kubelet without a runtime, whatever others have done to the node meanwhile.</summary>
public sealed class KeepingARuntime
{
    [Theory]
    [MemberData(nameof(Layout.All), MemberType = typeof(Layout))]
    public void Install_points_kubelet_at_the_shim_and_uninstall_takes_it_back(string layout)
    {
        using var untouched = new LayoutNode(Layout.Read(layout));
        using var node = new LayoutNode(Layout.Read(layout));
        if (IsRefused(node, layout))
            return;
        Install(node, untouched);
        node.Reboot();
        ShouldBeAtTheShim(node, untouched);
        Uninstall(node, untouched);
        node.Files.ShouldBe(untouched.Files);
    }

    [Theory]
    [MemberData(nameof(Layout.WithEvents), MemberType = typeof(Layout))]
    public void What_happens_to_the_node_is_seen_by_check_and_made_good_by_install(string layout, string happens)
    {
        using var untouched = new LayoutNode(Layout.Read(layout));
        using var node = new LayoutNode(Layout.Read(layout));
        Install(node, untouched);
        Happens(node, untouched, happens);
        node.ShouldAlwaysHaveHadARuntime();
        if (!node.CallsTheShim || !node.Kubelet.Others.SequenceEqual(untouched.Kubelet.Others))
            node.Check().State.ShouldBe(FindingState.Problem, $"kubelet is told:\n{node.Kubelet}\nand without us:\n{untouched.Kubelet}");
        Install(node, untouched);
        Uninstall(node, untouched);
    }

    [Theory]
    [MemberData(nameof(Layout.WithEvents), MemberType = typeof(Layout))]
    public void Uninstall_finds_where_kubelet_is_told_now(string layout, string happens)
    {
        using var untouched = new LayoutNode(Layout.Read(layout));
        using var node = new LayoutNode(Layout.Read(layout));
        Install(node, untouched);
        Happens(node, untouched, happens);
        Uninstall(node, untouched);
    }

    [Theory]
    [MemberData(nameof(Layout.WithEvents), MemberType = typeof(Layout))]
    public void Nothing_is_left_that_harms_later(string layout, string happens)
    {
        using var untouched = new LayoutNode(Layout.Read(layout));
        using var node = new LayoutNode(Layout.Read(layout));
        Install(node, untouched);
        Uninstall(node, untouched);
        Happens(node, untouched, happens);
        $"{node.Kubelet}".ShouldBe($"{untouched.Kubelet}");
        node.ShouldAlwaysHaveHadARuntime();
    }

    private static bool IsRefused(LayoutNode node, string layout)
    {
        if (Layout.Read(layout).Refusal is not { } refusal)
            return false;
        var before = node.Files;
        var outcome = node.Install();
        outcome.ShouldSatisfyAllConditions(() => outcome.Code.ShouldBe(1), () => outcome.Errors.ShouldBe(refusal));
        node.Files.ShouldBe(before);
        node.ShouldAlwaysHaveHadARuntime();
        return true;
    }

    private static void Happens(LayoutNode node, LayoutNode untouched, string what)
    {
        untouched.LetHappen(what);
        untouched.ShouldAlwaysHaveHadARuntime(); // else the layout is not what such a node is
        node.LetHappen(what);
    }

    private static void Install(LayoutNode node, LayoutNode untouched)
    {
        var outcome = node.Install();
        outcome.Code.ShouldBe(0, $"{outcome}");
        ShouldBeAtTheShim(node, untouched);
        node.Check().State.ShouldBe(FindingState.Ok, $"{node.Check()}");
        node.Install().Output.ShouldStartWith("Nothing to do");
    }

    private static void ShouldBeAtTheShim(LayoutNode node, LayoutNode untouched)
    {
        node.ShouldAlwaysHaveHadARuntime();
        node.CallsTheShim.ShouldBeTrue($"{node.Kubelet}");
        node.Kubelet.Others.ShouldBe(untouched.Kubelet.Others);
    }

    /// <summary>Whether or not it succeeds, kubelet has a runtime after whatever restart; and that it succeeds means that kubelet calls it itself.</summary>
    private static void Uninstall(LayoutNode node, LayoutNode untouched)
    {
        var outcome = node.Uninstall();
        var told = $"{node.Kubelet}";
        node.RestartKubelet();
        var toldAgain = $"{node.Kubelet}";
        node.Reboot();
        node.ShouldAlwaysHaveHadARuntime();
        outcome.Code.ShouldBe(0, $"{outcome}");
        $"{untouched.Kubelet}".ShouldSatisfyAllConditions(
            without => told.ShouldBe(without, "after uninstall"),
            without => toldAgain.ShouldBe(without, "after a restart of kubelet"),
            without => $"{node.Kubelet}".ShouldBe(without, "after a reboot"));
        node.Mentions.ShouldBeEmpty();
    }
}
