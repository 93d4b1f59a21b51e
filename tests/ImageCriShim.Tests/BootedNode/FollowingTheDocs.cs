using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace ImageCriShim.Tests.BootedNode;

/// <summary>Every command of docs/COMMANDS.md prints what the page says, but for times, digests, versions and the like.</summary>
[Collection<BootedNodeTests>]
public sealed partial class FollowingTheDocs(DebianNode node) : BootedTest(node)
{
    [Fact]
    public async Task Every_command_prints_what_the_page_says()
    {
        var page = await File.ReadAllLinesAsync(Path.Combine(Root(), "docs", "COMMANDS.md"), TestContext.Current.CancellationToken);
        await BecomeTheNodeOf(page);

        var printed = new List<string>();
        var isConsole = false;
        foreach (var line in page)
        {
            if (line.StartsWith("```", StringComparison.Ordinal)) isConsole = line == "```console";
            if (!isConsole || line.StartsWith('`'))
                printed.Add(line);
            else if (line.StartsWith("$ ", StringComparison.Ordinal))
                printed.AddRange([line, .. await Print(line[2..])]);
        }

        // To be copied from there where it is right.
        var copy = Directory.CreateDirectory(Path.Combine(Root(), "artifacts", "tests"));
        await File.WriteAllLinesAsync(Path.Combine(copy.FullName, "COMMANDS.md"), printed, TestContext.Current.CancellationToken);
        Differences(Settled(page), Settled(printed)).ShouldBeEmpty();
    }

    // With its settings, no kubelet that calls meanwhile, and the two pulls that the page speaks of.
    private async Task BecomeTheNodeOf(string[] page)
    {
        await Node.Run("image-cri-shim uninstall --yes; systemctl stop kubelet; rm -rf /var/lib/image-cri-shim");
        await Node.RemoveImages();
        var settings = page.SkipWhile(line => line != "```yaml").Skip(1).TakeWhile(line => line != "```");
        await Node.Write("/etc/image-cri-shim.yaml", string.Join('\n', [.. settings, ""]));
        await Node.Run("systemctl start image-cri-shim.socket image-cri-shim.service");
        (await Pull("nginx:1.25")).ShouldBeOk();
        (await Pull("redis:7")).Code.ShouldNotBe(Tests.Node.GrpcCode.Ok);
        await Until("image-cri-shim status | grep -q ': 0 connections'");
    }

    private async Task<string[]> Print(string command) =>
        (await Node.Run($"exec 2>&1; set +e\n{command}\ntrue")).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static string[] Settled(IEnumerable<string> lines) => [.. lines.Select(Settle).Where(line => line.Length > 0)];

    // In the order of the page, and first what it says.
    private static IEnumerable<string> Differences(string[] page, string[] printed) =>
        [.. page.Except(printed).Select(line => $"not printed: {line}"), .. printed.Except(page).Select(line => $"not on the page: {line}"),
            .. page.Length == printed.Length ? Array.Empty<string>() : [$"{page.Length} lines on the page, {printed.Length} printed"]];

    private static string Settle(string line)
    {
        line = Time().Replace(line, "TIME");
        line = Digest().Replace(line, "DIGEST");
        line = Duration().Replace(line, "N $1");
        line = Process().Replace(line, "process N");
        line = Version().Replace(line, "VERSION");
        line = Spaces().Replace(line, "  ");
        return Milliseconds().Replace(line, "$1N  ");
    }

    private static string Root([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../.."));

    [GeneratedRegex(@"\d{4}-\d\d-\d\d [\d:]{8}Z")]
    private static partial Regex Time();

    [GeneratedRegex("sha256:[0-9a-f]{12,}")]
    private static partial Regex Digest();

    [GeneratedRegex(@"\b[\d.]+ (ms|s|min)\b")]
    private static partial Regex Duration();

    [GeneratedRegex(@"process \d+")]
    private static partial Regex Process();

    [GeneratedRegex(@"\d+\.\d+\.\d+(\+next)?")]
    private static partial Regex Version();

    [GeneratedRegex(" {2,}")]
    private static partial Regex Spaces();

    [GeneratedRegex(@"^(TIME.*  )\d+  ")]
    private static partial Regex Milliseconds();
}
