using System.Text;
using ImageCriShim.Installation;

namespace ImageCriShim.Tests.Installation;

/// <summary>Diffs as <c>diff -u</c> writes them, without secrets.</summary>
public sealed class UnifiedDiffTests
{
    [Theory]
    [InlineData("a\nb\nc\n", "a\nB\nc\n", 1, "@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n")]
    [InlineData("a\nb\nc\n", "a\nB\nc\n", 0, "@@ -2 +2 @@\n-b\n+B\n")]
    [InlineData("a\n", "a\nb\n", 0, "@@ -1,0 +2 @@\n+b\n")]
    [InlineData("a\nb\n", "b\n", 0, "@@ -1 +0,0 @@\n-a\n")]
    [InlineData("a", "a\nb", 3, "@@ -1 +1,2 @@\n-a\n\\ No newline at end of file\n+a\n+b\n\\ No newline at end of file\n")]
    [InlineData("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\nB\n3\n4\n5\n6\n7\nH\n9\n", 2, "@@ -1,4 +1,4 @@\n 1\n-2\n+B\n 3\n 4\n@@ -6,4 +6,4 @@\n 6\n 7\n-8\n+H\n 9\n")]
    [InlineData("1\n2\n3\n4\n", "1\nB\n3\nD\n", 1, "@@ -1,4 +1,4 @@\n 1\n-2\n+B\n 3\n-4\n+D\n")]
    public void Hunks_have_their_lines_and_their_context(string before, string after, int context, string hunks) =>
        UnifiedDiff.Format("/f", Encoding.UTF8.GetBytes(before), Encoding.UTF8.GetBytes(after), context).ShouldBe($"--- /f\n+++ /f\n{hunks}");

    [Fact]
    public void A_new_file_comes_from_nowhere() =>
        UnifiedDiff.Format("/f", null, "a\nb\n"u8.ToArray()).ShouldBe("--- /dev/null\n+++ /f\n@@ -0,0 +1,2 @@\n+a\n+b\n");

    [Theory]
    [InlineData("  --token \\\n  S3cret \\\n  --v=2\n", "  --token \\\n  *** \\\n  --v=2\n")]
    [InlineData("- --token\n- S3cret\n- --v\n- two\n", "- --token\n- ***\n- --v\n- two\n")]
    [InlineData("  \"--token\",\n  \"S3cret\",\n", "  \"--token\",\n  ***,\n")]
    [InlineData("- --authentication-token-webhook\nimage: pause\n", "- --authentication-token-webhook\nimage: pause\n")]
    [InlineData("- --token-file\n- /etc/token\n", "- --token-file\n- /etc/token\n")]
    public void Nor_is_one_on_the_line_below_its_flag(string text, string shown)
    {
        var diff = UnifiedDiff.Format("/f", null, Encoding.UTF8.GetBytes(text));
        string.Concat(diff.Split('\n').Skip(3).Where(line => line.Length > 0).Select(line => $"{line[1..]}\n")).ShouldBe(shown);
    }

    [Fact]
    public void The_line_above_is_that_of_the_same_text()
    {
        var diff = UnifiedDiff.Format("/f", "--token \\\nold-one\n"u8.ToArray(), "--token \\\nnew-one\n"u8.ToArray());
        diff.ShouldEndWith(" --token \\\n-***\n+***\n");
    }
}
