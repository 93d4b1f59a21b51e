using System.Runtime.InteropServices;

namespace ImageCriShim.Tests.Fakes;

/// <summary>What the kernel knows of a process, and signals.</summary>
internal static partial class Processes
{
    public const int SigStop = 19;
    public const int SigCont = 18;

    public static void Signal(int process, int signal) => _ = Kill(process, signal);

    /// <summary>The processes that have this among their arguments.</summary>
    public static IEnumerable<int> StartedWith(string argument) =>
        from directory in Directory.GetDirectories("/proc")
        let name = Path.GetFileName(directory)
        where name.All(char.IsAsciiDigit) && Arguments(directory).Contains(argument)
        select int.Parse(name);

    public static long ResidentBytes(int process) => long.Parse(File.ReadAllText($"/proc/{process}/statm").Split(' ')[1]) * Environment.SystemPageSize;

    public static int Descriptors(int process) => Directory.GetFileSystemEntries($"/proc/{process}/fd").Length;

    public static int Threads(int process) => Directory.GetDirectories($"/proc/{process}/task").Length;

    private static string[] Arguments(string directory)
    {
        try
        {
            return File.ReadAllText(Path.Combine(directory, "cmdline")).Split('\0');
        }
        catch (IOException)
        {
            return []; // it has just ended
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);
}
