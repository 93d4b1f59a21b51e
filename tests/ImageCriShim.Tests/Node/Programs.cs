using System.ComponentModel;
using System.Diagnostics;

namespace ImageCriShim.Tests.Node;

/// <summary>Programs that a Debian node has; found on PATH.</summary>
internal static class Programs
{
    /// <summary>The program in the background, its output thrown away.</summary>
    public static Process Start(string name, params string[] arguments)
    {
        var process = Launch(name, arguments);
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    /// <summary>Runs the program to its end; it must succeed.</summary>
    public static async Task<string> Run(string name, params string[] arguments)
    {
        using var process = Launch(name, arguments);
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        process.ExitCode.ShouldBe(0, $"{name}: {await errors}");
        return await output;
    }

    private static Process Launch(string name, string[] arguments)
    {
        var start = new ProcessStartInfo(name, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new InvalidOperationException($"{name} is not on PATH; ./build test installs what the tests need", e);
        }
    }
}
