using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using ImageCriShim.Cri;

namespace ImageCriShim.Benchmarks;

/// <summary>
/// What finding an image costs, seen by a caller whose runtime has it at once: over registries that are 20 ms away, over dead ones, for
/// a hundred callers, for thousands of names. The direct way is the one request that has to be made in any case.
/// </summary>
internal sealed class Probing(Scene scene, Figures figures)
{
    internal const double ProbeTimeout = 1000; // ms; as the settings below say
    internal const double Distance = 20; // ms

    private const int NextNames = 15;
    private const int ManyNames = 5_000;
    private const int WarmNames = 5_000; // the cache (1,024) is full then, and what is compiled while it runs has been
    private const string Held = "held-";
    private const string Near = "near.lab.test";

    private static readonly TimeSpan s_distance = TimeSpan.FromMilliseconds(Distance);

    internal async Task Measure(Way way, CancellationToken cancellation)
    {
        if (way.IsDirect)
        {
            MeasureDirect(way);
            return;
        }

        if (way.Shim is null)
            return;
        using var first = new SlowRegistry(s_distance, Held + "first");
        using var second = new SlowRegistry(s_distance, Held + "second");
        using var last = new SlowRegistry(s_distance, Held);
        var extra = MeasureLiving(way, [first, second, last]);
        MeasureDead(way, last, extra);
        await MeasureCrowd(way, [first, second, last], cancellation);
        MeasureMany(way);
    }

    // Over a connection of its own, and over one that is there.
    private void MeasureDirect(Way way)
    {
        using var registry = new SlowRegistry(s_distance, Held);
        Ask(Connect(registry)); // the bench's own code, for the first time
        Socket? socket = null;
        var first = Time(() => Ask(socket = Connect(registry)));
        figures.Add(Row.FirstResolve, way, first);
        figures.Add(Row.ColdResolve, way, first);
        figures.Add(Row.NextResolve, way, Median(_ => Ask(socket!)));
        socket!.Dispose();
    }

    private static Socket Connect(SlowRegistry registry)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(registry.Endpoint);
        return socket;
    }

    private static void Ask(Socket socket)
    {
        socket.Send(Encoding.ASCII.GetBytes($"HEAD /v2/library/{Held}1/manifests/1 HTTP/1.1\r\nHost: bench\r\n\r\n"));
        socket.Receive(new byte[4096]);
    }

    /// <returns>What a next name takes, in milliseconds.</returns>
    private double MeasureLiving(Way way, SlowRegistry[] registries)
    {
        string[] addresses = [.. registries.Select(registry => registry.Address)];
        using (var cold = Start(way, addresses))
            figures.Add(Row.ColdResolve, way, Time(() => cold.Pull($"{Held}0:1")));

        using var near = new SlowRegistry(TimeSpan.Zero, "near-a");
        using var shim = Start(way, [near.Address, .. addresses]);
        shim.Pull($"{Near}/near-a:1"); // the code has run, and nobody else has been connected to
        figures.Add(Row.FirstResolve, way, Time(() => shim.Pull($"{Held}0:1")));
        var next = Median(i => shim.Pull($"{Held}{i}:1"));
        figures.Add(Row.NextResolve, way, next);
        return next;
    }

    // One takes the connection and is silent, of the other every packet is lost.
    private void MeasureDead(Way way, SlowRegistry living, double withoutDead)
    {
        using var hung = new SlowRegistry(Timeout.InfiniteTimeSpan, Held);
        using var lost = new LostPackets();
        using var shim = Start(way, [hung.Address, lost.Address, living.Address]);
        figures.Add(Row.FirstDead, way, Time(() => shim.Pull($"{Held}0:1")));
        figures.Add(Row.NextDead, way, Median(i => shim.Pull($"{Held}{i}:1")) - withoutDead);
    }

    private async Task MeasureCrowd(Way way, SlowRegistry[] registries, CancellationToken cancellation)
    {
        const int Callers = 100;
        using var shim = Start(way, [.. registries.Select(registry => registry.Address)]);
        foreach (var registry in registries)
            registry.TakeRequests();
        await (Load.OfImage("PullImage", $"{Held}crowd:1", Callers) with { Streams = Callers }).MeasureCallsPerSecond(shim.Socket, cancellation);
        figures.Add(Row.Crowd, way, registries.Max(registry => registry.TakeRequests()));
    }

    private void MeasureMany(Way way)
    {
        using var first = new SlowRegistry(TimeSpan.Zero, Held + "first");
        using var second = new SlowRegistry(TimeSpan.Zero, Held + "second");
        using var last = new SlowRegistry(TimeSpan.Zero, Held);
        using var shim = Start(way, [first.Address, second.Address, last.Address]);
        for (var i = 0; i < WarmNames; i++)
            shim.Pull($"{Held}{i}:1");
        var (sockets, spares, megabytes) = (shim.Daemon.InternetSockets, shim.Daemon.UnixSockets, shim.Daemon.ResidentMegabytes);
        for (var i = WarmNames; i < WarmNames + ManyNames; i++)
            shim.Pull($"{Held}{i}:1");
        figures.Add(Row.ManySockets, way, shim.Daemon.InternetSockets - sockets);
        figures.Add(Row.ManySpares, way, shim.Daemon.UnixSockets - spares); // one that a call waited on for long is kept beside its successor, eight at most
        figures.Add(Row.ManyMemory, way, shim.Daemon.ResidentMegabytes - megabytes);
    }

    private FreshPuller Start(Way way, string[] registries)
    {
        var others = string.Concat(registries[1..].Select((address, i) => $"- {{address: '{address}', priority: {500 - i}, exclude: [{Near}]}}\n"));
        var (daemon, socket) = scene.StartFreshShim(way, $"address: {registries[0]}\nprobeTimeout: 1s\nregistries:\n{others}");
        daemon.WaitUntilListening(socket);
        return new FreshPuller(daemon, socket);
    }

    private static double Median(Action<int> action) =>
        Spread.Of(Enumerable.Range(1, NextNames).Select(i => Time(() => action(i))).ToArray()).Median;

    private static double Time(Action action)
    {
        var begin = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(begin).TotalMilliseconds;
    }

    /// <summary>A shim that has done nothing yet, and a caller that is already connected, as kubelet is.</summary>
    private sealed class FreshPuller : IDisposable
    {
        private readonly Caller _caller;

        internal FreshPuller(Daemon daemon, string socket)
        {
            (Daemon, Socket, _caller) = (daemon, socket, new Caller(socket));
            _caller.Call("/runtime.v1.RuntimeService/Version", []);
        }

        internal Daemon Daemon { get; }

        internal string Socket { get; }

        internal void Pull(string image) => _caller.Call("/runtime.v1.ImageService/PullImage", CriMessages.WithImage([], image));

        public void Dispose()
        {
            _caller.Dispose();
            Daemon.Dispose();
        }
    }
}
