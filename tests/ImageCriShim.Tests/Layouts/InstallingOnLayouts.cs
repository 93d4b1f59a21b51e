namespace ImageCriShim.Tests.Layouts;

/// <summary>On nodes of every layout: kubelet reaches its runtime at every moment, through the shim or, without it, itself.</summary>
public sealed class InstallingOnLayouts : LayoutTest
{
    [Theory]
    [MemberData(nameof(Layout.All), MemberType = typeof(Layout))]
    public void Install_points_kubelet_at_the_shim_and_uninstall_takes_it_back(string layout)
    {
        Begin(layout);
        Install();
        Node.RestartKubelet();
        ShouldBeAtTheShim();
        Node.Reboot();
        ShouldBeAtTheShim();
        Uninstall();
        Node.Files.ShouldBe(Untouched.Files);
    }
}
