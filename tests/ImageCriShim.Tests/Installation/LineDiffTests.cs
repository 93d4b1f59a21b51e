using ImageCriShim.Installation;

namespace ImageCriShim.Tests.Installation;

public sealed class LineDiffTests
{
    [Theory]
    [InlineData(100_000, 100_000)] // a table of them would have 10 billion places
    [InlineData(3000, 3000)]
    [InlineData(300, 3000)]
    [InlineData(0, 100_000)]
    public void It_tells_both_texts_however_many_lines_differ(int before, int after)
    {
        string[] old = ["first", .. Numbered("old", before), "last"];
        string[] now = ["first", .. Numbered("now", after), "last"];

        var lines = LineDiff.Of(old, now);

        lines.Where(line => line.Sign != '+').Select(line => line.Text).ShouldBe(old);
        lines.Where(line => line.Sign != '-').Select(line => line.Text).ShouldBe(now);
        lines.Where(line => line.Sign == ' ').Select(line => line.Text).ShouldBe(["first", "last"]);
    }

    private static IEnumerable<string> Numbered(string word, int count) => Enumerable.Range(0, count).Select(number => $"{word} {number}");
}
