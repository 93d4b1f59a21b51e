using System.Diagnostics;

namespace ImageCriShim.Tests.Fakes;

/// <summary>strace(1), which can hold system calls of a process: a disk that hangs, as the process sees it. Disposing lets them go.</summary>
internal sealed class Strace : IAsyncDisposable
{
    private const string ForEver = "delay_enter=600s";

    private readonly Process _process;

    private Strace(Process process) => _process = process;

    /// <summary>Of one that runs; not of programs that it starts.</summary>
    /// <param name="process">Its id.</param>
    /// <param name="call">Which of its calls.</param>
    public static async Task<Strace> Hold(int process, string call)
    {
        string[] arguments = ["-f", "--detach-on=execve", "-p", $"{process}", "-o", "/dev/null", "-e", $"trace={call}", "-e", $"inject={call}:{ForEver}"];
        while (true)
        {
            var strace = new Strace(Process.Start(new ProcessStartInfo("strace", arguments) { RedirectStandardError = true })!);
            (await strace._process.StandardError.ReadLineAsync().WaitAsync(RawConnection.Patience)).ShouldNotBeNull().ShouldContain(" attached");
            if (Directory.GetDirectories($"/proc/{process}/task").All(thread => TracerOf(thread) != 0))
                return strace;
            await strace.DisposeAsync(); // a thread that began just then was overlooked
        }
    }

    /// <summary>A shell command, for <see cref="Supervisor.StartAsync"/>: one file cannot be opened, from the beginning on.</summary>
    public static string HoldingOpen(string file) =>
        $"exec strace -D -f -qq -o /dev/null -P '{file}' -e trace=openat -e inject=openat:{ForEver} \"$@\"";

    /// <summary>Ends the one that holds calls of this process.</summary>
    public static async Task LetGoOf(int process)
    {
        using var strace = Process.GetProcessById(TracerOf($"/proc/{process}"));
        await End(strace);
    }

    public Task LetGo() => End(_process);

    public async ValueTask DisposeAsync()
    {
        await LetGo();
        _process.Dispose();
    }

    private static int TracerOf(string thread) =>
        int.Parse(File.ReadLines(Path.Combine(thread, "status")).First(line => line.StartsWith("TracerPid:", StringComparison.Ordinal)).Split('\t')[1]);

    private static async Task End(Process strace)
    {
        strace.Kill(); // the kernel lets go of all that it held
        await strace.WaitForExitAsync().WaitAsync(RawConnection.Patience);
    }
}
