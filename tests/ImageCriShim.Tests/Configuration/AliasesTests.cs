using ImageCriShim.Configuration;

namespace ImageCriShim.Tests.Configuration;

/// <summary>Aliases of YAML (YAML 1.2.2, 3.2.2.2): what they stand for is bounded for whoever walks through the settings.</summary>
public sealed class AliasesTests
{
    [Theory]
    [InlineData("sync: &a {x: *a}")]
    [InlineData("sync: &a [1, *a]")]
    [InlineData("sync: &a {x: [{y: *a}]}")]
    [InlineData("address: &a x\nsync: &a {x: *a}")]
    public void One_that_holds_itself_is_refused(string text) =>
        Parse(text).ShouldHaveSingleItem().ShouldContain("an alias stands within what it stands for; write out what is meant");

    [Theory]
    [InlineData(4, false)] // 10^4 values and their lists
    [InlineData(5, true)]
    [InlineData(9, true)]
    public void Those_that_stand_for_very_much_are_refused(int levels, bool isRefused)
    {
        var lines = Enumerable.Range(1, levels - 1)
            .Select(level => $"k{level}: &k{level} [{string.Join(", ", Enumerable.Repeat($"*k{level - 1}", 10))}]")
            .Prepend("k0: &k0 [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]");
        var problems = Parse(string.Join('\n', lines));
        if (isRefused)
            problems.ShouldHaveSingleItem().ShouldContain("aliases stand for more than 100000 values");
        else
            problems.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("a: &a x\nb: *a")]
    [InlineData("a: &a [x, y]\nb: *a\nc: {d: *a }")]
    [InlineData("a: &a\n  x: &a y\n  z: *a")] // the name stands for y from there on
    public void Others_are_read(string text) => Parse(text).ShouldBeEmpty();

    private static List<string> Parse(string text)
    {
        var report = new ConfigReport("test.yaml");
        YamlFile.Parse(text, report);
        return [.. report.Problems.Select(problem => $"{problem}")];
    }
}
