using System.Runtime.InteropServices;

namespace ImageCriShim.Tests.Faults;

/// <summary>What the kernel knows of a process, and signals.</summary>
internal static partial class Processes
{
    public const int SigStop = 19;
    public const int SigCont = 18;

    public static void Signal(int process, int signal) => _ = Kill(process, signal);

    public static long ResidentBytes(int process) => long.Parse(File.ReadAllText($"/proc/{process}/statm").Split(' ')[1]) * Environment.SystemPageSize;

    public static int Descriptors(int process) => Directory.GetFileSystemEntries($"/proc/{process}/fd").Length;

    public static int Threads(int process) => Directory.GetDirectories($"/proc/{process}/task").Length;

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);
}
