namespace ImageCriShim.Metrics;

/// <summary>
/// This process, by the names that every Prometheus client library uses for it. Read from /proc: System.Diagnostics.Process would load the time zones.
/// </summary>
internal static class ProcessMetrics
{
    private static readonly double s_begin = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1000.0 - ProcessAge.Now.TotalSeconds;

    internal static IEnumerable<Instrument> All { get; } =
    [
        Of("process_cpu_seconds_total", "CPU time of the process, in seconds.", () => Environment.CpuUsage.TotalTime.TotalSeconds),
        Of("process_resident_memory_bytes", "Resident memory of the process.", () => Environment.WorkingSet),
        Of("process_start_time_seconds", "When the process began, in seconds since 1970.", () => s_begin),
        Of("process_threads", "Threads of the process.", () => Count("/proc/self/task")),
        Of("process_open_fds", "Open file descriptors of the process.", () => Count("/proc/self/fd")),
        Of("process_max_fds", "How many it may have.", () => Descriptors.Limit),
    ];

    private static int Count(string directory) => Directory.EnumerateFileSystemEntries(directory).Count();

    private static Gauge Of(string name, string help, Func<double> read)
    {
        var gauge = new Gauge(name, help);
        gauge.ComesFrom(read);
        return gauge;
    }
}
