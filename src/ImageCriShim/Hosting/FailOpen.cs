using Microsoft.Extensions.Logging;

namespace ImageCriShim.Hosting;

/// <summary>Serving although the settings cannot be used (<c>--fail-open</c>): nothing is rewritten, and nobody shall overlook that.</summary>
/// <param name="problems">At least one.</param>
internal sealed class FailOpen(IReadOnlyList<string> problems, ILogger log)
{
    /// <summary>In a line, for systemd's STATUS.</summary>
    internal string Summary
    {
        get
        {
            var others = problems.Count > 1 ? $" and {problems.Count - 1} more" : "";
            return $"FAIL OPEN, nothing is rewritten: {problems[0]}{others}";
        }
    }

    internal void Say()
    {
        foreach (var problem in problems)
            Log.FailOpenProblem(log, problem);
        Log.FailOpen(log);
    }
}
