using System.Diagnostics;

namespace ImageCriShim.Benchmarks;

/// <summary>A program that is run to its end for what it prints.</summary>
internal static class Command
{
    /// <exception cref="BenchException">It failed.</exception>
    internal static async Task<string> Run(string file, IEnumerable<string> arguments, CancellationToken cancellation)
    {
        using var process = Process.Start(new ProcessStartInfo(file, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellation);
            var errors = process.StandardError.ReadToEndAsync(cancellation);
            await process.WaitForExitAsync(cancellation);
            return process.ExitCode == 0
                ? (await output).Trim()
                : throw new BenchException($"{file} {string.Join(' ', arguments)}: {await errors}");
        }
        finally
        {
            process.Kill(); // does nothing if it has ended
        }
    }
}
