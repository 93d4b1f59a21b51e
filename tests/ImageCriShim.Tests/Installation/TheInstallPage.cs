using System.Text.RegularExpressions;
using ImageCriShim.Commands;
using ImageCriShim.Installation;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Installation;

/// <summary>
/// What docs/INSTALL.md shows is what is printed. Its <c>console</c> blocks are run one after the other, on the node of <c>golden/</c> that the last
/// comment <c>node:</c> names; a line of three dots stands for any lines.
/// </summary>
public sealed partial class TheInstallPage
{
    private const string Image = "/mnt/image"; // where the page has its image

    private static readonly string s_page = File.ReadAllText(Path.Combine(Repository.Root, "docs/INSTALL.md"));

    [Fact]
    public void Every_command_prints_what_the_page_shows()
    {
        InstalledNode? node = null;
        var blocks = 0;
        foreach (Match step in Step().Matches(s_page))
        {
            if (step.Groups["node"].Success)
            {
                node?.Dispose();
                node = new InstallCase(step.Groups["node"].Value).MakeNode();
                continue;
            }

            blocks++;
            Run(node!, step.Groups["command"].Value.Split(' ')).ShouldMatch(AsPattern(step.Groups["shown"].Value), step.Value);
        }

        node?.Dispose();
        blocks.ShouldBe(s_page.Split("```console").Length - 1);
    }

    private static string Run(InstalledNode node, string[] words)
    {
        var isImage = words.Contains(Image);
        var mode = words.Contains("--dry-run") ? InstallMode.DryRun : words.Contains("--yes") ? InstallMode.Yes : InstallMode.Ask;
        var systemd = isImage ? new Systemd(isRunning: false) : new Systemd(isRunning: true, "true");
        var outcome = words[0] == "install" ? node.Install(mode, address: After("--address"), systemd: systemd) : node.Uninstall(mode, systemd: systemd);
        var printed = outcome.Output + outcome.Errors;
        return isImage ? printed.Replace(node.Root, Image, StringComparison.Ordinal) : printed.Replace($" --root {node.Root}", "", StringComparison.Ordinal);

        string? After(string option) => Array.IndexOf(words, option) is >= 0 and var at ? words[at + 1] : null;
    }

    private static string AsPattern(string shown) => $"\\A{Regex.Escape(shown).Replace("\\.\\.\\.\\n", "(?:[^\\n]*\\n)*", StringComparison.Ordinal)}\\z";

    [GeneratedRegex(@"<!-- node: (?<node>\S+) -->|```console\n\$ image-cri-shim (?<command>[^\n]*)\n(?<shown>(?:(?!```)[^\n]*\n)*)```")]
    private static partial Regex Step();
}
