using System.Text;
using ImageCriShim.Inspection;

namespace ImageCriShim.Commands;

/// <summary>Findings for people: a line each, and below it what mends it.</summary>
internal static class CheckText
{
    private const int StateWidth = 9;
    private const int LongestLine = 4096; // of a file that is to be written

    public static string Format(IReadOnlyList<Finding> findings, bool hasColour)
    {
        var text = new StringBuilder();
        foreach (var finding in findings)
            Add(text, finding, hasColour);
        return text.Append($"\n{Sum(findings)}\n").ToString();
    }

    private static void Add(StringBuilder text, Finding finding, bool hasColour)
    {
        var state = $"{finding.State}".ToLowerInvariant();
        text.Append(hasColour ? $"\e[{Colour(finding.State)}m{state}\e[0m" : state).Append(' ', StateWidth - state.Length);
        text.Append($"{finding.What}: {finding.Text}\n");
        foreach (var remedy in finding.Remedies)
        {
            text.Append(' ', StateWidth).Append($"- {Shown(remedy.Heading)}\n");
            foreach (var line in remedy.Lines)
                text.Append(line.Length == 0 ? "\n" : $"{new string(' ', StateWidth + 4)}{Shown(line)}\n");
        }
    }

    /// <summary>To be taken literally, so a tab stays one.</summary>
    private static string Shown(string line) => string.Join('\t', line.Split('\t').Select(part => PrintableText.Of(part, LongestLine)));

    private static string Sum(IReadOnlyList<Finding> findings)
    {
        var (problems, warnings) = (findings.Count(finding => finding.State is FindingState.Problem), findings.Count(finding => finding.State is FindingState.Warning));
        var warned = warnings == 0 ? "" : $", {warnings} warning{(warnings == 1 ? "" : "s")}";
        return $"{(problems == 0 ? "nothing" : problems)} to mend{warned}";
    }

    private static int Colour(FindingState state) => state switch
    {
        FindingState.Ok => 32,
        FindingState.Warning => 33,
        _ => 31,
    };
}
