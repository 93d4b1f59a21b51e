using System.Text;
using ImageCriShim.Registries;
using ImageCriShim.Rewriting;

namespace ImageCriShim.Commands;

/// <summary>A resolution for people.</summary>
internal static class ResolutionText
{
    private const int LongestLine = 4096; // a few registries, each with what it says

    public static string Format(Resolution resolution)
    {
        var text = new StringBuilder();
        var image = resolution.Decision.Image;
        text.Append(PrintableText.Of(image));
        if (resolution.Name is { } name && $"{name}" != image)
            text.Append($" is {name}");
        text.Append('\n');
        if (resolution.Lines.Count > 0)
            text.Append('\n').Append(TextTable.Format([["candidate", "answer", "time", "credential"], .. resolution.Lines.Select(Cells)]));
        return text.Append($"\n{Outcome(resolution)}\n").ToString();
    }

    private static string[] Cells(ResolutionLine line) =>
    [
        line.Candidate.IsAsGiven ? $"{line.Candidate.Image} (as given)" : line.Candidate.Image,
        line.Result?.ToString() ?? "not asked",
        line.Result is { } result ? Milliseconds(result) : "",
        line.CredentialProblem ?? line.CredentialFrom ?? "none",
    ];

    private static string Milliseconds(ProbeResult result) => $"{result.Elapsed.TotalMilliseconds:0} ms";

    private static string Outcome(Resolution resolution) => resolution.Decision.Kind switch
    {
        DecisionKind.Blocked => $"refused: {Reason(resolution)}",
        DecisionKind.Nowhere when !resolution.ToPull.Any() => $"not pulled: {Reason(resolution)}; offlineOnly forbids the name as given",
        _ => $"pulled as: {Names(resolution)}\nreason: {Reason(resolution)}",
    };

    private static string Names(Resolution resolution) => Shown(string.Join(", then ", resolution.ToPull.Select(candidate => candidate.Image)));

    private static string Reason(Resolution resolution) => Shown(resolution.Decision.Reason);

    private static string Shown(string text) => PrintableText.Of(text, LongestLine);
}
