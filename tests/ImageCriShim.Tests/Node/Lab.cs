using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace ImageCriShim.Tests.Node;

/// <summary>A directory of <c>lab/lab</c>: what is started for it, real containerds and registries, ends with it.</summary>
public sealed class Lab : IAsyncDisposable
{
    private static int s_made;

    private Lab(string directory) => Directory = directory;

    public string Directory { get; }

    /// <summary>Where the lab keeps what it has installed.</summary>
    public static string Cache { get; } = Variable("IMAGE_CRI_SHIM_LAB")
        ?? Path.Combine(Variable("XDG_CACHE_HOME") ?? Path.Combine(Environment.GetEnvironmentVariable("HOME")!, ".cache"), "image-cri-shim-lab");

    /// <summary>
    /// Short, because sockets lie in it; below the directory that ./build test cleans, should this process be killed. Each lab of a process
    /// has its own: ending one must not end what another collection of tests uses.
    /// </summary>
    public static Lab Make()
    {
        var labs = Variable("IMAGE_CRI_SHIM_LABS") ?? "/tmp/image-cri-shim-tests";
        return new Lab(System.IO.Directory.CreateDirectory(Path.Combine(labs, $"p{Environment.ProcessId}-{Interlocked.Increment(ref s_made)}")).FullName);
    }

    /// <summary>A command of the lab.</summary>
    /// <returns>What it wrote to its standard output.</returns>
    public static async Task<string> Run(params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(FindRoot(), "lab", "lab"), arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? (await output).Trim() : throw new InvalidOperationException($"lab {string.Join(' ', arguments)}: {await errors}");
    }

    /// <summary>A port that nobody listens on at the moment.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public async ValueTask DisposeAsync() => await Run("end", Directory);

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    private static string FindRoot()
    {
        var directory = new DirectoryInfo(Variable("IMAGE_CRI_SHIM_ROOT") ?? AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "lab", "lab")))
            directory = directory.Parent ?? throw new InvalidOperationException("the tests run outside of the repository; set IMAGE_CRI_SHIM_ROOT");
        return directory.FullName;
    }
}
