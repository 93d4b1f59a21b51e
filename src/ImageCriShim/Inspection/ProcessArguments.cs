namespace ImageCriShim.Inspection;

/// <summary>How a process was started (proc(5)).</summary>
internal static class ProcessArguments
{
    /// <summary>Empty where it has gone, may not be seen, or is a thread of the kernel.</summary>
    public static string[] Of(int process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/cmdline").TrimEnd('\0').Split('\0');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
