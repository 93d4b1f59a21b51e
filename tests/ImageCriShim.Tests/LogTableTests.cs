using System.Text.RegularExpressions;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests;

/// <summary>docs/LOGS.md has every line of the log as the source has it, and none that is not there.</summary>
public sealed partial class LogTableTests
{
    private static readonly Dictionary<string, string> s_levels = new()
    {
        ["Debug"] = "debug",
        ["Information"] = "info",
        ["Warning"] = "warning",
        ["Error"] = "error",
    };

    [Fact]
    public void The_table_has_every_line_by_its_number()
    {
        var due = from file in Sources()
                  from Match message in Message().Matches(File.ReadAllText(file))
                  let groups = message.Groups
                  orderby int.Parse(groups["id"].Value)
                  select $"{groups["id"]} {s_levels[groups["level"].Value]} {groups["name"]}: {groups["text"]}";
        Rows().Select(row => $"{row.Groups["id"]} {row.Groups["level"]} {row.Groups["name"]}: {row.Groups["text"]}").ShouldBe(due);
    }

    [Fact]
    public void No_line_is_written_in_a_way_that_this_test_does_not_see() =>
        Sources().Sum(file => Message().Count(File.ReadAllText(file))).ShouldBe(Sources().Sum(file => Attribute().Count(File.ReadAllText(file))));

    [Fact]
    public void What_needs_somebody_says_what_to_do() =>
        Rows().Where(row => row.Groups["level"].Value == "error" && row.Groups["do"].Value == "-").Select(row => row.Groups["id"].Value).ShouldBeEmpty();

    private static IEnumerable<Match> Rows() =>
        File.ReadLines(Path.Combine(Repository.Root, "docs/LOGS.md")).Select(line => Row().Match(line)).Where(row => row.Success);

    private static IEnumerable<string> Sources() =>
        Directory.EnumerateFiles(Path.Combine(Repository.Root, "src/ImageCriShim"), "Log.cs", SearchOption.AllDirectories);

    // | event | level | name | `message` | when | what to do |
    [GeneratedRegex(@"^\| (?<id>\d{4}) \| (?<level>\w+) \| (?<name>\w+) \| `(?<text>[^`]+)` \| [^|]+ \| (?<do>[^|]+) \|$")]
    private static partial Regex Row();

    [GeneratedRegex(
        """\[LoggerMessage\(\s*(?<id>\d+),\s*LogLevel\.(?<level>\w+),\s*"(?<text>(?:[^"\\]|\\.)*)"\)\]\s*internal static partial void (?<name>\w+)\(""")]
    private static partial Regex Message();

    [GeneratedRegex(@"\[LoggerMessage\b")]
    private static partial Regex Attribute();
}
