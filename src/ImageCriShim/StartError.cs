namespace ImageCriShim;

/// <summary>Why a program cannot be started, by errno: the framework's words are not in the published program.</summary>
internal static class StartError
{
    /// <summary>To follow the program's name in a sentence.</summary>
    internal static string Describe(int error) => error switch
    {
        2 => "cannot be started: it, or the interpreter that it names, is not there",
        8 => "cannot be started: it is no program for this machine",
        11 or 12 => "cannot be started: this machine or this unit has no room for another process (TasksMax, MemoryMax)",
        13 => "may not be started by this process",
        23 or 24 => $"cannot be started: {Descriptors.Exhausted}",
        _ => $"cannot be started (error {error})",
    };
}
