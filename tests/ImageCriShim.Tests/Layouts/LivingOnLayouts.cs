using ImageCriShim.Inspection;

namespace ImageCriShim.Tests.Layouts;

/// <summary>What operators, kubeadm and packages do to a node on which the shim is, or was, installed.</summary>
[Trait("suite", "slow")]
public sealed class LivingOnLayouts : LayoutTest
{
    [Theory]
    [MemberData(nameof(Layout.WithEvents), MemberType = typeof(Layout))]
    public void What_happens_to_the_node_is_seen_by_check_and_made_good_by_install(string layout, string happens)
    {
        Begin(layout);
        Install();
        var runtime = Untouched.WhoAnswers;
        Happens(happens);
        Node.ShouldAlwaysHaveHadARuntime();
        if (!Node.CallsTheShim || !Node.Kubelet.Others.SequenceEqual(Untouched.Kubelet.Others))
            Node.Check().State.ShouldBe(FindingState.Problem, $"told:\n{Node.Kubelet}\nand without the shim:\n{Untouched.Kubelet}");
        if (Untouched.WhoAnswers == runtime)
            Install();
        else
            IsNotMovedToTheFormerRuntime();
        Uninstall();
    }

    [Theory]
    [MemberData(nameof(Layout.WithEvents), MemberType = typeof(Layout))]
    public void Uninstall_finds_where_kubelet_is_told_now(string layout, string happens)
    {
        Begin(layout);
        Install();
        Happens(happens);
        Uninstall();
    }

    [Theory]
    [MemberData(nameof(Layout.WithEvents), MemberType = typeof(Layout))]
    public void Nothing_is_left_that_harms_later(string layout, string happens)
    {
        Begin(layout);
        Install();
        Uninstall();
        Happens(happens);
        $"{Node.Kubelet}".ShouldBe($"{Untouched.Kubelet}");
        Node.ShouldAlwaysHaveHadARuntime();
    }

    /// <summary>Kubelet has another runtime now than the shim's settings say, with its pods: install takes that over, or does nothing.</summary>
    private void IsNotMovedToTheFormerRuntime()
    {
        var outcome = Node.Install();
        if (outcome.Code == 0)
            ShouldBeAtTheShim();
        else
            outcome.Errors.ShouldContain(Untouched.WhoAnswers);
        Node.ShouldAlwaysHaveHadARuntime();
    }
}
