using System.Net;

namespace ImageCriShim.Handover;

/// <summary>What a successor has to know before it reads its settings. It stands in one variable of its environment.</summary>
/// <param name="IsLaunch">The process only starts the successor, which becomes a child of process 1 by that, and ends.</param>
/// <param name="OwnSocket">The socket's file, where we made it and remove it; null: it is systemd's.</param>
/// <param name="IsFailingOpen">The predecessor forwards everything unread, because its settings could not be used.</param>
/// <param name="Metrics">Where the predecessor serves metrics, with a socket that the successor inherits; null: nowhere.</param>
internal sealed record HandoverTerms(bool IsLaunch, string? OwnSocket, bool IsFailingOpen, IPEndPoint? Metrics)
{
    private const char Separator = '\n'; // paths may hold anything else
    private const string Variable = "IMAGE_CRI_SHIM_HANDOVER";
    private const string Launch = "launch", Serve = "serve", OwnSocketAt = "socket=", FailingOpen = "failing-open", MetricsAt = "metrics=";

    /// <summary>Reads the variable, and removes it: what this process starts is no successor.</summary>
    /// <returns>Null for a process that was started in the ordinary way.</returns>
    public static HandoverTerms? Take()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { } text)
            return null;
        Environment.SetEnvironmentVariable(Variable, null);
        var words = text.Split(Separator);
        var metrics = Find(words, MetricsAt);
        return new(words.Contains(Launch), Find(words, OwnSocketAt), words.Contains(FailingOpen), metrics is null ? null : IPEndPoint.Parse(metrics));
    }

    /// <summary>For the environment of the process that is started.</summary>
    public override string ToString()
    {
        var words = new List<string> { IsLaunch ? Launch : Serve };
        if (OwnSocket is not null)
            words.Add($"{OwnSocketAt}{OwnSocket}");
        if (IsFailingOpen)
            words.Add(FailingOpen);
        if (Metrics is not null)
            words.Add($"{MetricsAt}{Metrics}");
        return $"{Variable}={string.Join(Separator, words)}";
    }

    private static string? Find(string[] words, string name) =>
        Array.Find(words, word => word.StartsWith(name, StringComparison.Ordinal))?[name.Length..];
}
