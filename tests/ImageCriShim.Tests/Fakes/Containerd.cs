using System.Diagnostics;
using System.Runtime.InteropServices;

namespace ImageCriShim.Tests.Fakes;

/// <summary>Debian's containerd, by itself in a directory, for its sockets and its CRI plugin; no container is started.</summary>
public sealed partial class Containerd : IAsyncDisposable
{
    private const int SigTerm = 15;

    private readonly Process process;
    private readonly Task<string> errors;

    private Containerd(Process process, string socketPath)
    {
        (this.process, SocketPath) = (process, socketPath);
        errors = process.StandardError.ReadToEndAsync();
    }

    public string SocketPath { get; }

    public static async Task<Containerd> StartAsync(TempDirectory directory)
    {
        var socket = directory.File("ctd.sock");
        var config = directory.File("containerd.toml");
        await File.WriteAllTextAsync(config, $"""
            version = 2
            root = "{directory.File("root")}"
            state = "{directory.File("state")}"
            [grpc]
              address = "{socket}"
            [debug]
              address = "{directory.File("debug.sock")}"
              level = "error"
            [plugins."io.containerd.internal.v1.opt"]
              path = "{directory.File("opt")}"
            [plugins."io.containerd.grpc.v1.cri"]
              disable_apparmor = true
              restrict_oom_score_adj = true
              [plugins."io.containerd.grpc.v1.cri".containerd]
                snapshotter = "native"
              [plugins."io.containerd.grpc.v1.cri".cni]
                bin_dir = "/usr/lib/cni"
                conf_dir = "{directory.File("net.d")}"
            """);
        var start = new ProcessStartInfo("containerd", ["--config", config]) { RedirectStandardError = true };
        var containerd = new Containerd(Process.Start(start)!, socket);
        await containerd.WaitAsync();
        return containerd;
    }

    public async ValueTask DisposeAsync()
    {
        _ = Kill(process.Id, SigTerm);
        await process.WaitForExitAsync().WaitAsync(RawConnection.Patience);
        process.Dispose();
    }

    /// <summary>Until the CRI plugin answers: the socket is there a moment earlier.</summary>
    private async Task WaitAsync()
    {
        var waited = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                await using var caller = await RawCaller.ConnectAsync(SocketPath);
                if ((await caller.CallAsync("/runtime.v1.RuntimeService/Status", [])).Status == 0) return;
            }
            catch (Exception error) when (error is System.Net.Sockets.SocketException or IOException
                && waited.Elapsed < RawConnection.Patience && !process.HasExited)
            {
                // It is still starting.
            }

            if (process.HasExited || waited.Elapsed > RawConnection.Patience) throw new InvalidOperationException($"containerd does not answer:\n{(process.HasExited ? await errors : "")}");
            await Task.Delay(20); // between two attempts: containerd tells nobody when it is ready
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
