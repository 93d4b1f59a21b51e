using ImageCriShim.Commands;

namespace ImageCriShim.Tests.Installation;

/// <summary>Install and uninstall on the nodes of <c>golden/</c>.</summary>
public sealed class InstallingOnNodes
{
    [Theory]
    [MemberData(nameof(InstallCase.All), MemberType = typeof(InstallCase))]
    public void A_dry_run_shows_every_change_and_changes_nothing(string name)
    {
        var one = new InstallCase(name);
        using var node = one.MakeNode();
        var before = node.Look();
        InstallCase.Shorten(one.Install(node, InstallMode.DryRun)).ShouldBe(one.Expected);
        node.Look().ShouldBe(before);
    }

    [Theory]
    [MemberData(nameof(InstallCase.ThatInstall), MemberType = typeof(InstallCase))]
    public void What_is_installed_twice_is_installed_once(string name)
    {
        var one = new InstallCase(name);
        using var node = one.MakeNode();
        one.Install(node).Code.ShouldBe(0);
        var after = node.Look();
        one.Install(node).ShouldBe(new Outcome(0, "Nothing to do: everything is installed as it should be.\n", ""));
        one.Install(node, InstallMode.DryRun).Output.ShouldBe("Nothing to do: everything is installed as it should be.\n");
        node.Look().ShouldBe(after);
    }

    [Theory]
    [MemberData(nameof(InstallCase.ThatInstall), MemberType = typeof(InstallCase))]
    public void Uninstalling_makes_every_file_what_it_was(string name)
    {
        var one = new InstallCase(name);
        using var node = one.MakeNode();
        var before = node.Look();
        one.Install(node).Code.ShouldBe(0);
        var installed = node.Look();
        installed.ShouldNotBe(before);
        node.Uninstall(InstallMode.DryRun).Code.ShouldBe(0);
        node.Look().ShouldBe(installed);
        var outcome = node.Uninstall();
        outcome.Code.ShouldBe(0, outcome.Errors);
        node.Look().ShouldBe(before);
        node.Uninstall().ShouldBe(new Outcome(0, "Nothing to do: nothing is installed.\n", ""));
    }

    // Everything that is needed to undo it lies there, and only root may see it.
    [Fact]
    public void What_is_kept_is_for_root_alone()
    {
        using var node = new InstallCase("k3s").MakeNode();
        new InstallCase("k3s").Install(node).Code.ShouldBe(0);
        var place = $"{node.Root}/var/lib/image-cri-shim";
        File.GetUnixFileMode(place).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        foreach (var file in Directory.EnumerateFiles($"{place}/install"))
            File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
