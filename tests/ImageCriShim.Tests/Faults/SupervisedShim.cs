using System.Diagnostics;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Faults;

/// <summary>The shim as a unit, with its config file: it is started again whenever it ends.</summary>
internal sealed class SupervisedShim : IAsyncDisposable
{
    public const int SigKill = 9;

    private readonly Supervisor _supervisor;

    private SupervisedShim(Supervisor supervisor, string socketPath) => (_supervisor, SocketPath) = (supervisor, socketPath);

    public string SocketPath { get; }

    /// <inheritdoc cref="Supervisor.Pid"/>
    public int Pid => _supervisor.Pid;

    /// <inheritdoc cref="Supervisor.Starts"/>
    public int Starts => _supervisor.Starts;

    /// <summary>What all of them have logged.</summary>
    public string Output => _supervisor.Output;

    /// <param name="directory">Holds socket, state and config file.</param>
    /// <param name="runtimeSocket">The <c>cri</c> of the configuration.</param>
    /// <param name="yaml">More of it.</param>
    /// <param name="within">As <see cref="Supervisor.StartAsync"/> takes it.</param>
    /// <param name="holdsSocket">The supervisor listens and hands the socket over, as a <c>.socket</c> unit does.</param>
    /// <param name="arguments">More arguments of the shim.</param>
    public static async Task<SupervisedShim> Start(
        TempDirectory directory, string runtimeSocket, string yaml, string? within = null, bool holdsSocket = false, params string[] arguments)
    {
        var (socket, config) = (directory.File("shim.sock"), directory.File("image-cri-shim.yaml"));
        await File.WriteAllTextAsync(config, $"shim: {socket}\ncri: {runtimeSocket}\n{yaml}\n");
        string[] options = ["--always", .. holdsSocket ? ["--listen", $"stream:{socket}"] : Array.Empty<string>()];
        var supervised = new SupervisedShim(await Supervisor.StartAsync(options, ["-f", config, .. arguments], within), socket);
        await supervised.Ready();
        return supervised;
    }

    public Task Signal(int signal) => _supervisor.SignalAsync(signal);

    /// <inheritdoc cref="Supervisor.RestartAsync"/>
    public Task Restart() => _supervisor.RestartAsync();

    public ValueTask DisposeAsync() => _supervisor.DisposeAsync();

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
}
