using System.Text.Json.Nodes;

namespace ImageCriShim.Tests.BootedNode;

/// <summary>Lines of the log as journald keeps them, with their priorities.</summary>
[Collection<BootedNodeTests>]
public sealed class JournalOnIt(DebianNode node) : BootedTest(node)
{
    private const string Error = "3";
    private const string Warning = "4";
    private const string Information = "6";

    [Fact]
    public async Task Each_line_has_the_priority_of_its_level()
    {
        (await Pull("nginx:1.25")).ShouldBeOk();
        await Node.Run("systemctl stop registry-registry.corp registry-mirror.corp");
        await Pull("redis:7");
        await Until("journalctl -q -b -u image-cri-shim -g '^not pulled redis:7'");

        var lines = await Lines("");
        PriorityOf(lines, "pulled nginx:1.25 as registry.corp:5000/library/nginx:1.25").ShouldBe(Information);
        PriorityOf(lines, "registry http://registry.corp:5000 is set aside").ShouldBe(Warning);
        PriorityOf(lines, "not pulled redis:7").ShouldBe(Error);
        lines.Where(line => line.Text.StartsWith('<')).ShouldBeEmpty();
    }

    [Fact]
    public async Task Warnings_and_what_is_worse_are_found_by_priority_and_nothing_else()
    {
        (await Pull("nginx:1.25")).ShouldBeOk();
        await Node.Run("systemctl stop registry-registry.corp registry-mirror.corp");
        await Pull("redis:7");
        await Until("journalctl -q -b -u image-cri-shim -g '^not pulled redis:7'");

        var lines = await Lines("-p warning");
        lines.Select(line => line.Priority).Distinct().Order().ShouldBe([Error, Warning]);
        lines.ShouldContain(line => line.Text.Contains("is set aside"));
        lines.ShouldNotContain(line => line.Text.StartsWith("pulled"));
    }

    private async Task<(string Priority, string Text)[]> Lines(string options)
    {
        var pid = await Node.MainPid();
        var output = await Node.Run($"journalctl -q -b -o json -u image-cri-shim {options} _PID={pid}");
        var lines = output.Split('\n').Select(line => JsonNode.Parse(line)!);
        return [.. lines.Select(line => ((string)line["PRIORITY"]!, line["MESSAGE"]!.ToString()))];
    }

    private static string PriorityOf((string Priority, string Text)[] lines, string beginning) =>
        lines.FirstOrDefault(line => line.Text.StartsWith(beginning, StringComparison.Ordinal)).Priority
        ?? $"none of:\n{string.Join('\n', lines)}";
}
