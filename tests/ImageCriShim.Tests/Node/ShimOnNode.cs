using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Node;

/// <summary>The shim as a process in front of a real runtime, and a caller that is connected to it.</summary>
public sealed class ShimOnNode : IAsyncDisposable
{
    private readonly TempDirectory _directory;

    private ShimOnNode(TempDirectory directory, ShimProcess process, CriCaller caller) =>
        (_directory, Process, Caller) = (directory, process, caller);

    public ShimProcess Process { get; }

    public CriCaller Caller { get; }

    public string StateDirectory => _directory.File("state");

    /// <param name="runtimeSocket">The runtime that it stands in front of.</param>
    /// <param name="yaml">What the test needs of the config file; sockets and state are given.</param>
    /// <param name="environment">More variables for the shim.</param>
    public static async Task<ShimOnNode> Start(string runtimeSocket, string yaml, params (string Name, string Value)[] environment)
    {
        var directory = new TempDirectory();
        var process = await ShimProcess.StartAsync(directory, runtimeSocket, $"image: {directory.File("state")}\n{yaml}", environment);
        return new(directory, process, await CriCaller.Connect(process.SocketPath));
    }

    /// <summary>As <see cref="Start"/>, with a state directory of the test's own.</summary>
    public static async Task<ShimOnNode> StartOn(string stateDirectory, string runtimeSocket, string yaml)
    {
        var directory = new TempDirectory();
        var process = await ShimProcess.StartAsync(directory, runtimeSocket, $"image: {stateDirectory}\n{yaml}");
        return new(directory, process, await CriCaller.Connect(process.SocketPath));
    }

    public async ValueTask DisposeAsync()
    {
        await Caller.DisposeAsync();
        await Process.DisposeAsync();
        _directory.Dispose();
    }
}
