using ImageCriShim.Inspection;

namespace ImageCriShim.Tests.Layouts;

/// <summary>
/// A test on a node of a layout, beside a second one that install never touches: what that one's kubelet is told, and whom it reaches, is
/// what is right without the shim.
/// </summary>
public abstract class LayoutTest : IDisposable
{
    private LayoutNode? _node;
    private LayoutNode? _untouched;

    private protected LayoutNode Node => _node!;

    private protected LayoutNode Untouched => _untouched!;

    public void Dispose()
    {
        _node?.Dispose();
        _untouched?.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected void Begin(string layout)
    {
        Dispose();
        (_node, _untouched) = (new LayoutNode(Layout.Read(layout)), new LayoutNode(Layout.Read(layout)));
    }

    /// <summary>Another node of the layout, beside the same untouched one.</summary>
    private protected void BeginAgain(string layout)
    {
        Node.Dispose();
        _node = new LayoutNode(Layout.Read(layout));
    }

    /// <summary>Lets it happen to both nodes.</summary>
    private protected void Happens(string what)
    {
        Untouched.LetHappen(what);
        Untouched.ShouldAlwaysHaveHadARuntime(); // else the layout is not what such a node is
        Node.LetHappen(what);
    }

    private protected void Install()
    {
        var outcome = Node.Install();
        outcome.Code.ShouldBe(0, $"{outcome}");
        ShouldBeAtTheShim();
        Node.Check().State.ShouldBe(FindingState.Ok, $"{Node.Check()}");
        Node.Install().Output.ShouldStartWith("Nothing to do");
    }

    /// <summary>For images and for all else, and the shim calls the runtime that kubelet would call.</summary>
    private protected void ShouldBeAtTheShim()
    {
        Node.ShouldAlwaysHaveHadARuntime();
        Node.CallsTheShim.ShouldBeTrue($"{Node.Kubelet}");
        Node.WhoAnswers.ShouldBe($"shim, {Untouched.WhoAnswers}");
        Node.Kubelet.Others.ShouldBe(Untouched.Kubelet.Others);
    }

    /// <summary>Whether or not it succeeds, kubelet has a runtime after whatever restart. If it does, kubelet calls that itself.</summary>
    private protected void Uninstall()
    {
        var outcome = Node.Uninstall();
        var told = $"{Node.Kubelet}";
        Node.RestartKubelet();
        var toldAgain = $"{Node.Kubelet}";
        Node.Reboot();
        Node.ShouldAlwaysHaveHadARuntime();
        outcome.Code.ShouldBe(0, $"{outcome}");
        $"{Untouched.Kubelet}".ShouldSatisfyAllConditions(
            without => told.ShouldBe(without, "after uninstall"),
            without => toldAgain.ShouldBe(without, "after a restart of kubelet"),
            without => $"{Node.Kubelet}".ShouldBe(without, "after a reboot"));
        Node.Mentions.ShouldBeEmpty();
    }
}
