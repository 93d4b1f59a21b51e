using System.CommandLine;

namespace ImageCriShim.Commands;

/// <summary>The options that install and uninstall have in common.</summary>
internal sealed class InstallOptions
{
    public Option<string> Root { get; } = new("--root")
    {
        Description = "Work on the image or chroot in this directory; nothing is started.",
        DefaultValueFactory = _ => "/",
    };

    public Option<bool> DryRun { get; } = new("--dry-run") { Description = "Show what would be changed, and change nothing." };

    public Option<bool> Yes { get; } = new("--yes", "-y") { Description = "Do not ask." };

    public InstallMode ModeOf(ParseResult parsed) => parsed.GetValue(DryRun) ? InstallMode.DryRun : parsed.GetValue(Yes) ? InstallMode.Yes : InstallMode.Ask;
}

/// <summary>Whether what is shown is done.</summary>
internal enum InstallMode
{
    Ask,
    Yes,
    DryRun,
}
