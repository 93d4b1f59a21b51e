using System.Text.RegularExpressions;
using ImageCriShim.Configuration;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Commands;

/// <summary>
/// Each <c>imports/NAME.tree</c> comes to exactly what <c>imports/NAME.expected</c> says, which is something that can be used. To add a case: write the
/// first, run, and put what the failure shows into the second if it is what should be.
/// </summary>
public sealed class ImportingTrees : IDisposable
{
    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    public static TheoryData<string> Trees() => [.. ImportTree.Names];

    [Theory]
    [MemberData(nameof(Trees))]
    public void Files_of_other_programs_come_to_the_expected_settings_or_reasons(string name)
    {
        var (tree, files, lines) = (ImportTree.Read(name), new ImportedFiles(), new List<string>());
        tree.Write(_directory.Path, text => Regex.Replace(text, @"\{([a-z])\}", "$1.corp:5000"));
        var reports = tree.Arguments.Select(argument => (Path: _directory.File(argument), Report: new ConfigReport(argument))).ToList();
        foreach (var (path, report) in reports)
            files.Read(path, report);
        var written = new ImportedText().Write(files);
        foreach (var (_, report) in reports)
        {
            report.Problems.ShouldBeEmpty();
            lines.AddRange(report.Losses.Select(line => $"loss: {line}"));
            lines.AddRange(report.Warnings.Select(line => $"warning: {line}"));
            lines.AddRange(report.Notes.Select(line => $"note: {line}"));
        }

        var actual = $"{string.Concat(lines.Select(line => $"{line}\n"))}---\n{written}".Replace(_directory.Path, "DIR");
        var expected = Path.Combine(ImportTree.Folder, $"{name}.expected");
        (File.Exists(expected) && File.ReadAllText(expected) == actual).ShouldBeTrue($"{name}.expected should hold, if this is right:\n{actual}");
        actual.ShouldNotContain("planted");
        File.WriteAllText(_directory.File("new.yaml"), written);
        var config = ConfigFile.Load(_directory.File("new.yaml"));
        config.Problems.ShouldBeEmpty(written);
        config.Warnings.ShouldBeEmpty(written);
    }
}
