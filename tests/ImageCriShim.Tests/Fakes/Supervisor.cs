using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using System.Threading.Channels;

namespace ImageCriShim.Tests.Fakes;

/// <summary>The shim under tests/peers/python/supervisor.py, which is to it what systemd is.</summary>
public sealed class Supervisor : IAsyncDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly Channel<int> _exits = Channel.CreateUnbounded<int>();
    private readonly ConcurrentQueue<string> _notifications = [];
    private int _pid;
    private int _starts;
    private int _echoed;

    private Supervisor(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => Take(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>What the shim wrote, and between two of its lives how it ended.</summary>
    public string Output
    {
        get { lock (_output) return _output.ToString(); }
    }

    /// <inheritdoc cref="ShimProcess.ShouldSay"/>
    public void ShouldSay(string text) => Wait.ForText(text, () => Output);

    /// <summary>Of the process that runs now.</summary>
    public int Pid => Volatile.Read(ref _pid);

    /// <summary>How often the shim was started.</summary>
    public int Starts => Volatile.Read(ref _starts);

    /// <summary>What it notified of so far, an assignment each.</summary>
    public IReadOnlyList<string> Notified => [.. _notifications.SelectMany(datagram => datagram.Split('\n'))];

    /// <summary>The last STATUS.</summary>
    public string Status => Notified.LastOrDefault(said => said.StartsWith("STATUS=", StringComparison.Ordinal)) ?? "";

    /// <param name="options">Of the supervisor.</param>
    /// <param name="arguments">Of the shim.</param>
    /// <param name="within">A shell command that ends with <c>exec "$@"</c>: limits, mounts and the like.</param>
    public static async Task<Supervisor> StartAsync(string[] options, string[] arguments, string? within = null)
    {
        var shim = ShimProcess.StartInfo(arguments);
        string[] shell = within is null ? [] : ["bash", "-c", within, "bash"];
        return new(await Peer.StartAsync(Stack.Python, "supervisor", [.. options, "--", .. shell, shim.FileName, .. shim.ArgumentList]));
    }

    /// <summary>Starts the shim again, which has ended.</summary>
    public Task StartAgainAsync() => SayAsync("start");

    public Task SignalAsync(int signal) => SayAsync($"signal {signal}");

    /// <summary>Waits until everything that the shim has notified of by now is in <see cref="Notified"/>.</summary>
    public async Task HearAsync()
    {
        var number = Volatile.Read(ref _echoed) + 1;
        await SayAsync($"echo {number}");
        await Wait.Until(() => Volatile.Read(ref _echoed) == number, "the supervisor has heard everything");
    }

    /// <summary>Stops the shim as it stands, and waits until it does.</summary>
    public async Task FreezeAsync()
    {
        const int sigStop = 19;
        await SignalAsync(sigStop);
        await Wait.Until(
            () => File.ReadAllText($"/proc/{Pid}/stat").Split(") ")[1].StartsWith('T'), "the shim is stopped");
    }

    /// <summary>As an upgrade does it: the old process is asked to end, the new one starts when it has.</summary>
    public async Task RestartAsync()
    {
        var before = Starts;
        await SayAsync("restart");
        await Wait.Until(() => Starts > before, "the next process starts");
    }

    /// <summary>Waits until the shim has ended.</summary>
    public async Task<int> ExitAsync() => await _exits.Reader.ReadAsync().AsTask().WaitAsync(RawConnection.Patience);

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync().WaitAsync(RawConnection.Patience);
        _process.Dispose();
    }

    private async Task SayAsync(string command)
    {
        await _process.StandardInput.WriteLineAsync(command);
        await _process.StandardInput.FlushAsync();
    }

    private void Take(string? line)
    {
        if (line is null) return;
        var said = JsonNode.Parse(line)!;
        if (said["start"] is { } pid)
        {
            Volatile.Write(ref _pid, (int)pid);
            Interlocked.Increment(ref _starts);
        }

        if (said["echo"] is { } number) Volatile.Write(ref _echoed, (int)number);
        if (said["notify"] is { } datagram) _notifications.Enqueue((string)datagram!);
        if (said["exit"] is not { } code) return;
        Keep(line);
        _exits.Writer.TryWrite((int)code);
    }

    private void Keep(string? line)
    {
        if (line is null) return;
        lock (_output) _output.AppendLine(line);
    }
}
