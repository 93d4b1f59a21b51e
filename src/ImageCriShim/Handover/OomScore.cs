namespace ImageCriShim.Handover;

/// <summary>
/// What the kernel ends first when memory runs out (proc_pid_oom_score_adj(5)): while it starts, a successor offers itself, so that the process that
/// serves is not ended in its place.
/// </summary>
internal static class OomScore
{
    private const string File = "/proc/self/oom_score_adj";
    private const string First = "1000"; // the highest there is; what this process starts inherits it

    /// <summary>Offers this process.</summary>
    /// <returns>What it was before; null where that cannot be changed.</returns>
    public static string? Raise()
    {
        try
        {
            var before = System.IO.File.ReadAllText(File);
            System.IO.File.WriteAllText(File, First);
            return before;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Makes it what it was. Nobody needs a privilege for that (the kernel remembers the least that a privileged process has set).</summary>
    public static void Restore(string? before)
    {
        try
        {
            if (before is not null)
                System.IO.File.WriteAllText(File, before);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is ended a little earlier than others.
        }
    }
}
