namespace ImageCriShim.Tests.Installation;

/// <summary>Whatever ends install and uninstall, and wherever: the same again completes it, and uninstall undoes it.</summary>
public sealed class Interruptions
{
    [Theory]
    [MemberData(nameof(InstallCase.ThatInstall), MemberType = typeof(InstallCase))]
    public void Installing_again_completes_it(string name) => ForEachStep(name, uninstalling: false, (one, node, _, installed) =>
    {
        one.Install(node).Code.ShouldBe(0);
        node.Look(withTimes: false).Where(IsNotKept).ShouldBe(installed.Where(IsNotKept));
        node.Uninstall().Code.ShouldBe(0);
    });

    [Theory]
    [MemberData(nameof(InstallCase.ThatInstall), MemberType = typeof(InstallCase))]
    public void Uninstalling_undoes_what_was_done(string name) => ForEachStep(name, uninstalling: false, (_, node, _, _) => node.Uninstall().Code.ShouldBe(0));

    [Theory]
    [MemberData(nameof(InstallCase.ThatInstall), MemberType = typeof(InstallCase))]
    public void Uninstalling_again_completes_it(string name) => ForEachStep(name, uninstalling: true, (_, node, _, _) => node.Uninstall().Code.ShouldBe(0));

    [Theory]
    [MemberData(nameof(InstallCase.ThatInstall), MemberType = typeof(InstallCase))]
    public void Installing_after_half_an_uninstall_can_be_undone(string name) => ForEachStep(name, uninstalling: true, (one, node, _, installed) =>
    {
        one.Install(node).Code.ShouldBe(0);
        node.Look(withTimes: false).Where(IsNotKept).ShouldBe(installed.Where(IsNotKept));
        node.Uninstall().Code.ShouldBe(0);
    });

    /// <summary>Interrupts before each step in turn, has it mended, and sees that everything is what it was in the beginning.</summary>
    private static void ForEachStep(string name, bool uninstalling, Action<InstallCase, InstalledNode, int, IReadOnlyList<string>> mend)
    {
        var one = new InstallCase(name);
        var installed = Installed(one);
        var wasInterrupted = true;
        for (var step = 0; wasInterrupted; step++)
        {
            using var node = one.MakeNode();
            var before = node.Look();
            if (uninstalling)
                one.Install(node);
            wasInterrupted = IsInterrupted(step, beforeStep => _ = uninstalling ? node.Uninstall(beforeStep: beforeStep) : one.Install(node, beforeStep: beforeStep));
            mend(one, node, step, installed);
            node.Look().ShouldBe(before, $"step {step}");
            step.ShouldBeLessThan(1000);
        }
    }

    private static IReadOnlyList<string> Installed(InstallCase one)
    {
        using var node = one.MakeNode();
        one.Install(node).Code.ShouldBe(0);
        return node.Look(withTimes: false);
    }

    private static bool IsInterrupted(int step, Action<Action<string>> run)
    {
        try
        {
            run(_ =>
            {
                if (step-- == 0)
                    throw new OperationCanceledException();
            });
            return false;
        }
        catch (OperationCanceledException)
        {
            return true;
        }
    }

    // The manifest of an installation in two runs says the same in another order.
    private static bool IsNotKept(string line) => !line.StartsWith("/var/lib/image-cri-shim/install/", StringComparison.Ordinal);
}
