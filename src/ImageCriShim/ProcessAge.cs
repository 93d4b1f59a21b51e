using System.Globalization;

namespace ImageCriShim;

/// <summary>How long this process runs: proc_pid_stat(5). System.Diagnostics.Process would tell as well, and load the time zones.</summary>
internal static class ProcessAge
{
    private const int StartTime = 22; // counted from 1; field 2, the name, may hold blanks
    private const double TicksPerSecond = 100; // USER_HZ, the same on every Linux since 2.6

    /// <summary>To within a tick.</summary>
    internal static TimeSpan Now
    {
        get
        {
            var stat = File.ReadAllText("/proc/self/stat");
            var started = stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[StartTime - 3];
            var uptime = File.ReadAllText("/proc/uptime").Split(' ')[0];
            var seconds = Parse(uptime) - Parse(started) / TicksPerSecond;
            return TimeSpan.FromSeconds(Math.Max(seconds, 0));
        }
    }

    private static double Parse(string number) => double.Parse(number, CultureInfo.InvariantCulture);
}
