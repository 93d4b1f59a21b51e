using System.Diagnostics;

namespace ImageCriShim.Tests.Fakes;

/// <summary>
/// A shell script that can be run at once. Another process writes it: were it written here, a process that another test starts meanwhile would
/// hold it open for writing, and to run it would fail with "text file busy".
/// </summary>
internal static class Script
{
    /// <param name="body">For <c>sh</c>.</param>
    public static void Write(string path, string body) => Put(path, $"#!/bin/sh\n{body}\n");

    /// <param name="text">With its first line, which names the interpreter.</param>
    public static void Put(string path, string text)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", "cat > \"$0\" && chmod 755 \"$0\"", path]) { RedirectStandardInput = true };
        using var writer = Process.Start(start)!;
        writer.StandardInput.Write(text);
        writer.StandardInput.Close();
        writer.WaitForExit();
        writer.ExitCode.ShouldBe(0);
    }
}
