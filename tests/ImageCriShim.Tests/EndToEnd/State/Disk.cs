using System.Diagnostics;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.EndToEnd.State;

/// <summary>A file system of its own, mounted for a test and unmounted at its end. Needs root.</summary>
internal sealed class Disk : IDisposable
{
    private readonly TempDirectory files = new();

    private Disk(params string[] mount)
    {
        Directory.CreateDirectory(Path);
        Run("mount", [.. mount, Path]);
    }

    public string Path => files.File("disk");

    /// <summary>In memory, with room for so much.</summary>
    public static Disk OfSize(int kilobytes) => new("-t", "tmpfs", "-o", $"size={kilobytes}k,mode=0700", "tmpfs");

    public void MakeReadOnly() => Run("mount", "-o", "remount,ro", Path);

    public void MakeWritable() => Run("mount", "-o", "remount,rw", Path);

    public static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var said = process.StandardError.ReadToEnd();
        process.WaitForExit();
        process.ExitCode.ShouldBe(0, $"{program} {string.Join(' ', arguments)}: {said}");
    }

    public void Dispose()
    {
        Run("umount", "-l", Path);
        files.Dispose();
    }
}
