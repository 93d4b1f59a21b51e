using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Faults;

/// <summary>The shim as a unit: tests/peers/python/supervisor.py starts it again whenever it ends.</summary>
internal sealed class SupervisedShim : IAsyncDisposable
{
    public const int SigKill = 9;

    private readonly Process _supervisor;
    private readonly StringBuilder _output = new();
    private int _pid;
    private int _starts;

    private SupervisedShim(Process supervisor, string socketPath)
    {
        (_supervisor, SocketPath) = (supervisor, socketPath);
        supervisor.OutputDataReceived += (_, line) => Note(line.Data);
        supervisor.ErrorDataReceived += (_, line) => Keep(line.Data);
        supervisor.BeginOutputReadLine();
        supervisor.BeginErrorReadLine();
    }

    public string SocketPath { get; }

    /// <summary>Of the process that runs now.</summary>
    public int Pid => Volatile.Read(ref _pid);

    /// <summary>How often it was started.</summary>
    public int Starts => Volatile.Read(ref _starts);

    /// <summary>What all of them have logged.</summary>
    public string Output
    {
        get { lock (_output) return _output.ToString(); }
    }

    /// <param name="directory">Holds socket, state and config file.</param>
    /// <param name="runtimeSocket">The <c>cri</c> of the configuration.</param>
    /// <param name="yaml">More of it.</param>
    /// <param name="within">A shell command that ends with <c>exec "$@"</c>: limits, mounts and the like.</param>
    /// <param name="holdsSocket">The supervisor listens and hands the socket over, as a <c>.socket</c> unit does.</param>
    /// <param name="arguments">More arguments of the shim.</param>
    public static async Task<SupervisedShim> Start(
        TempDirectory directory, string runtimeSocket, string yaml, string? within = null, bool holdsSocket = false, params string[] arguments)
    {
        var (socket, config) = (directory.File("shim.sock"), directory.File("image-cri-shim.yaml"));
        await File.WriteAllTextAsync(config, $"shim: {socket}\ncri: {runtimeSocket}\n{yaml}\n");
        var shim = ShimProcess.StartInfo(["-f", config, .. arguments]);
        string[] command =
        [
            "--always", .. holdsSocket ? ["--listen", $"stream:{socket}"] : Array.Empty<string>(), "--",
            .. within is null ? [] : new[] { "bash", "-c", within, "bash" },
            shim.FileName, .. shim.ArgumentList,
        ];
        var supervised = new SupervisedShim(await Peer.StartAsync(Stack.Python, "supervisor", command), socket);
        await supervised.Ready();
        return supervised;
    }

    public void Signal(int signal) => Tell($"signal {signal}");

    /// <summary>As an upgrade does it: the old process is asked to end, the new one starts when it has.</summary>
    public async Task Restart()
    {
        var before = Starts;
        Tell("restart");
        await Wait.Until(() => Starts > before, "the next process starts");
    }

    public async ValueTask DisposeAsync()
    {
        _supervisor.StandardInput.Close(); // that ends it, and so does the end of this process
        await _supervisor.WaitForExitAsync().WaitAsync(RawConnection.Patience);
        _supervisor.Dispose();
    }

    private async Task Ready()
    {
        using var channel = new Channel(SocketPath);
        var waited = Stopwatch.StartNew();
        while (!(await channel.CallAsync("/runtime.v1.RuntimeService/Version", [], TimeSpan.FromSeconds(5))).IsOk)
        {
            if (waited.Elapsed > RawConnection.Patience)
                throw new InvalidOperationException($"the shim does not serve {SocketPath}:\n{Output}");
            await Task.Delay(10); // between two attempts: there is nothing else to wait on
        }
    }

    private void Tell(string command)
    {
        _supervisor.StandardInput.WriteLine(command);
        _supervisor.StandardInput.Flush();
    }

    private void Note(string? line)
    {
        if (line is not null && JsonNode.Parse(line)!["start"] is { } pid)
        {
            Volatile.Write(ref _pid, (int)pid);
            Interlocked.Increment(ref _starts);
        }

        Keep(line);
    }

    private void Keep(string? line)
    {
        if (line is null)
            return;
        lock (_output)
            _output.AppendLine(line);
    }
}
