using Microsoft.Extensions.Logging;

namespace ImageCriShim.Hosting;

/// <summary>Serving although the settings cannot be used (<c>--fail-open</c>): nothing is rewritten, and nobody shall overlook that.</summary>
/// <param name="problems">At least one.</param>
internal sealed class FailOpen(IReadOnlyList<string> problems, ILogger log)
{
    /// <summary>In a line, for systemd's STATUS.</summary>
    internal string Summary => $"FAIL OPEN, nothing is rewritten: {Summarize(problems)}";

    /// <param name="problems">At least one.</param>
    internal static string Summarize(IReadOnlyList<string> problems) => problems.Count > 1 ? $"{problems[0]} and {problems.Count - 1} more" : problems[0];

    internal void Say()
    {
        foreach (var problem in problems)
            Log.FailOpenProblem(log, problem);
        Log.FailOpen(log);
    }
}
