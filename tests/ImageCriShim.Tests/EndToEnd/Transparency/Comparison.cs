using System.Collections.Concurrent;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.EndToEnd.Transparency;

/// <summary>A caller's group of scenarios, once on a runtime's own socket and once on the shim's before it.</summary>
internal sealed record Comparison(IReadOnlyDictionary<string, ScenarioResult> Direct, IReadOnlyDictionary<string, ScenarioResult> Through)
{
    private static readonly ConcurrentDictionary<(Stack, string, string), Lazy<Task<Comparison>>> Made = new();

    /// <summary>The comparison of that caller, runtime and group; made when the first of its scenarios asks.</summary>
    /// <param name="caller">Who calls.</param>
    /// <param name="runtime"><c>python</c>, <c>node</c>, <c>go</c>, <c>raw</c> or <c>containerd</c>.</param>
    /// <param name="group">One of <see cref="Scenarios"/>.</param>
    public static Task<Comparison> OfAsync(Stack caller, string runtime, string group) =>
        Made.GetOrAdd((caller, runtime, group), _ =>
            new(() => group == "shutdown" ? MakeOnTwoRuntimesAsync(caller, runtime, group) : MakeAsync(caller, runtime, group))).Value;

    private static async Task<Comparison> MakeAsync(Stack caller, string runtime, string group)
    {
        using var directory = new TempDirectory();
        var (socket, stop) = await StartRuntimeAsync(directory, runtime, group);
        await using (stop)
        {
            var direct = await Peer.CallAsync(caller, socket, group);
            await using var shim = await ShimProcess.StartAsync(directory, socket);
            return new(direct, await CallThroughAsync(shim, caller, group));
        }
    }

    private static async Task<Comparison> MakeOnTwoRuntimesAsync(Stack caller, string runtime, string group)
    {
        using var directory = new TempDirectory();
        var (socket, stop) = await StartRuntimeAsync(directory, runtime, group);
        IReadOnlyDictionary<string, ScenarioResult> direct;
        await using (stop) direct = await Peer.CallAsync(caller, socket, group);
        (socket, stop) = await StartRuntimeAsync(directory, runtime, group);
        await using (stop)
        {
            await using var shim = await ShimProcess.StartAsync(directory, socket);
            return new(direct, await CallThroughAsync(shim, caller, group));
        }
    }

    private static async Task<IReadOnlyDictionary<string, ScenarioResult>> CallThroughAsync(ShimProcess shim, Stack caller, string group)
    {
        try
        {
            var through = await Peer.CallAsync(caller, shim.SocketPath, group);
            shim.HasExited.ShouldBeFalse($"the shim ended:\n{shim.Output}");
            return through;
        }
        catch (Exception error)
        {
            throw new InvalidOperationException($"{error.Message}\nthe shim wrote:\n{shim.Output}", error);
        }
    }

    public static async Task<(string Socket, IAsyncDisposable Stop)> StartRuntimeAsync(
        TempDirectory directory, string runtime, string group)
    {
        var socket = directory.File("cri.sock");
        string[] flags = group switch
        {
            "strict" => ["--strict-keepalive"],
            "age" => ["--max-connection-age", "400"],
            _ => [],
        };
        switch (runtime)
        {
            case "containerd":
                var containerd = await Containerd.StartAsync(directory);
                return (containerd.SocketPath, containerd);
            case "raw": return (socket, FakeRuntime.Start(socket, new() { Record = false }));
            default: return (socket, await PeerRuntime.StartAsync(Enum.Parse<Stack>(runtime, ignoreCase: true), socket, flags));
        }
    }
}
