using ImageCriShim.Tests.Installation;

namespace ImageCriShim.Tests.Layouts;

/// <summary>
/// Install and uninstall are killed before each of their steps, or a systemctl of theirs fails: kubelet has a runtime there and after a
/// reboot, and the same again completes it.
/// </summary>
[Trait("suite", "slow")]
public sealed class InterruptedOnLayouts : LayoutTest
{
    [Theory]
    [MemberData(nameof(Layout.All), MemberType = typeof(Layout))]
    public void Install_can_be_interrupted_anywhere(string layout) => ForEachStep(layout, installed: false, node => node.Install());

    [Theory]
    [MemberData(nameof(Layout.All), MemberType = typeof(Layout))]
    public void Uninstall_can_be_interrupted_anywhere(string layout) => ForEachStep(layout, installed: true, node => node.Uninstall());

    private void ShouldInstall()
    {
        var outcome = Node.Install();
        outcome.Code.ShouldBe(0, $"{outcome}");
    }

    private void ForEachStep(string layout, bool installed, Func<LayoutNode, Outcome> run)
    {
        Begin(layout);
        string? step = "";
        for (var at = 0; step is not null; at++)
        {
            BeginAgain(layout);
            if (installed)
                ShouldInstall();
            step = Node.Interrupt(at, run);
            Node.ShouldAlwaysHaveHadARuntime();
            if (at % 2 == 0)
                Node.Reboot();
            var outcome = run(Node);
            outcome.Code.ShouldBe(0, $"the same again after it was interrupted {step}: {outcome}");
            if (!installed)
                ShouldBeAtTheShim();
            Uninstall();
            Node.Files.ShouldBe(Untouched.Files, $"interrupted {step}");
        }
    }
}
