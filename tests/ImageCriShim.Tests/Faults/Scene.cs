using System.Diagnostics;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Faults;

/// <summary>How a <see cref="Scene"/> is set.</summary>
internal sealed record SceneOptions
{
    /// <summary>More of the config file.</summary>
    public string Yaml { get; init; } = "";

    /// <summary>One more entry of <c>registries</c>.</summary>
    public string Registry { get; init; } = "";

    /// <summary>A shell command that ends with <c>exec "$@"</c>.</summary>
    public string? Within { get; init; }

    /// <summary>Instead of one beside the socket.</summary>
    public string? StateDirectory { get; init; }

    /// <summary>Of the shim.</summary>
    public string[] Arguments { get; init; } = [];

    /// <summary>The shim's socket is handed to it.</summary>
    public bool HoldsSocket { get; init; }

    /// <summary>The same goes on on the runtime's own socket.</summary>
    public bool ComparesDirectly { get; init; }

    /// <summary>Of pulls, which come without a deadline as kubelet's do.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10); // a busy machine takes seconds for a pull

    /// <summary>Of the callers.</summary>
    public Pace Pace { get; init; } = Pace.Fast;

    /// <summary>How many are at work.</summary>
    public int Kubelets { get; init; } = 1;

    public TimeSpan WellWithin { get; init; } = TimeSpan.FromSeconds(60); // far more than it takes: machines are busy
}

/// <summary>A shim under a supervisor before the node's runtime, two registries, and callers at work: the stage of one fault.</summary>
internal sealed class Scene : IAsyncDisposable
{
    private const int Images = 4;

    private readonly TempDirectory _directory = new();
    private readonly SceneOptions _options;
    private readonly FaultTable _table;
    private readonly string _fault;
    private readonly List<Workload> _workloads = [];

    private Scene(FaultNode node, string fault, SceneOptions options)
    {
        (_table, _fault, _options) = (node.Table, fault, options);
        (Offline, Mirror) = (node.OpenLine(), node.OpenLine());
    }

    public SupervisedShim Shim { get; private set; } = null!;

    /// <summary>The registry of <c>address</c>.</summary>
    public RegistryLine Offline { get; }

    /// <summary>The other one.</summary>
    public RegistryLine Mirror { get; }

    private string Yaml => $$"""
        image: {{_options.StateDirectory ?? File("state")}}
        address: {{Offline.Address}}
        probeTimeout: 1s
        timeout: {{_options.Timeout.TotalSeconds}}s
        cache: { imageCacheTTL: 1s }
        {{_options.Yaml}}
        registries:
        - { address: "{{Mirror.Address}}" }
        {{_options.Registry}}
        """;

    /// <summary>How many the callers of the shim have made so far.</summary>
    public long Calls => _workloads[0].Calls;

    public string File(string name) => _directory.File(name);

    public static async Task<Scene> Set(FaultNode node, string fault, SceneOptions? options = null)
    {
        var scene = new Scene(node, fault, options ?? new());
        try
        {
            await scene.Begin(node);
            return scene;
        }
        catch
        {
            await scene.DisposeAsync();
            throw;
        }
    }

    /// <summary>Injects the fault, heals it after a while, and waits until all is well again.</summary>
    /// <param name="inject">What goes wrong.</param>
    /// <param name="lasts">How long the fault goes on, at least.</param>
    /// <param name="heal">What the node's operator or systemd does about it.</param>
    /// <param name="untilPulled">Whether it goes on until a pull that began after it has succeeded.</param>
    public async Task<Effect> Suffer(Func<Task> inject, TimeSpan lasts, Func<Task> heal, bool untilPulled = false)
    {
        foreach (var workload in _workloads)
            await Wait.Until(() => workload.Seen.Count > 400 && workload.Seen.Count(call => call is { Method: Workload.PullImage, Failed: false }) > Images, "all is well before");
        _workloads.SelectMany(workload => workload.Seen.Where(call => call.Failed)).ShouldBeEmpty("before anything happened");
        var injected = Stopwatch.GetTimestamp();
        await inject();
        await Task.Delay(lasts); // the fault goes on: that is what it is
        if (untilPulled)
            await PullSince(injected);
        await heal();
        return await End(injected, Stopwatch.GetTimestamp());
    }

    public async ValueTask DisposeAsync()
    {
        await Rest();
        if (Shim is not null)
            await Shim.DisposeAsync();
        await Offline.DisposeAsync();
        await Mirror.DisposeAsync();
        _directory.Dispose();
    }

    private async Task Begin(FaultNode node)
    {
        Shim = await SupervisedShim.Start(_directory, node.Socket, Yaml, _options.Within, _options.HoldsSocket, _options.Arguments);
        _workloads.Add(Workload.Start(Shim.SocketPath, await node.PushImages(Images * _options.Kubelets), _options.Kubelets, _options.Pace));
        if (_options.ComparesDirectly)
            _workloads.Add(Workload.Start(node.Socket, [.. (await node.PushImages(Images)).Select(node.AtRegistry)], pace: _options.Pace));
    }

    private async Task<Effect> End(long injected, long healed)
    {
        var waited = Stopwatch.StartNew();
        Figures[] Look() => [.. _workloads.Select(workload => Figures.Of(workload.Seen, injected, healed))];
        while (!Look().All(figures => figures.IsWell))
        {
            if (waited.Elapsed > _options.WellWithin)
                throw new ShouldAssertException($"{_fault}: not well {_options.WellWithin.TotalSeconds} s after healing:\n{string.Join("\n--\n", Look().Select(f => f.NotWell))}\nThe shim:\n{LastLines()}");
            await Task.Delay(20); // between two looks: nobody tells
        }

        await Task.Delay(300); // and it stays well
        await Rest();
        var seen = Look();
        _table.Add(_fault, seen[0], seen.ElementAtOrDefault(1));
        return new(_fault, seen[0], seen.ElementAtOrDefault(1), LastLines());
    }

    private async Task PullSince(long injected)
    {
        try
        {
            await Wait.Until(() => _workloads[0].Seen.Any(call => call is { Method: Workload.PullImage, Failed: false } && call.Begun > injected));
        }
        catch (TimeoutException)
        {
            throw new ShouldAssertException($"{_fault}: no image was pulled meanwhile\nThe shim:\n{LastLines()}");
        }
    }

    private async Task Rest()
    {
        foreach (var workload in _workloads)
            await workload.Stop();
    }

    /// <summary>What it said last, and what it said before it ended unasked.</summary>
    private string LastLines()
    {
        var lines = Shim.Output.Split('\n').ToList();
        var end = lines.FindLastIndex(line => line.StartsWith("{\"exit\": -", StringComparison.Ordinal)) + 1; // by a signal
        return string.Join('\n', lines.Take(end).TakeLast(30).Concat(lines.Skip(end).TakeLast(10)));
    }
}

/// <summary>What a fault did to the callers.</summary>
internal sealed record Effect(string Fault, Figures Through, Figures? Directly, string Log)
{
    // What is under way when a connection ends: each caller has one call, and crictl's next one.
    private const int UnderWay = 10;

    private static readonly TimeSpan s_later = TimeSpan.FromSeconds(20); // far more than it takes: machines are busy
    private static readonly TimeSpan s_aRegistrysTime = TimeSpan.FromSeconds(0.9); // probeTimeout is 1 s

    /// <summary>No call failed but those of these callers or methods, with these codes.</summary>
    public Effect ShouldOnlyHaveFailed(params (string CallerOrMethod, GrpcStatus Status)[] allowed)
    {
        Through.Failures
            .Where(call => !allowed.Any(may => (may.CallerOrMethod == "" || call.Caller == may.CallerOrMethod || call.Method == may.CallerOrMethod) && call.Status == may.Status))
            .Take(10).ShouldBeEmpty($"{Fault}\n{Log}");
        return this;
    }

    public Effect ShouldNotHaveFailed() => ShouldOnlyHaveFailed();

    /// <summary>Not more failures than without the shim, and well not much later.</summary>
    public Effect ShouldBeNoWorseThanDirectly()
    {
        // Pulls and look-ups by other names go over connections of the shim's own, which cannot be had from a runtime that is about to stop.
        var ofCallers = Through.Failures.Count(call => call.Caller != Workload.Pulls && call.Method != "ImageStatus");
        ofCallers.ShouldBeLessThanOrEqualTo(Directly!.Failures.Count + UnderWay, Fault);
        return ShouldBeWellAsSoonAsDirectly();
    }

    public Effect ShouldBeWellAsSoonAsDirectly()
    {
        Through.Recovered.ShouldBeLessThan(Directly!.Recovered + s_later, Fault);
        return this;
    }

    public Effect ShouldHavePulledMeanwhile()
    {
        Through.SucceededMeanwhile(Workload.PullImage).ShouldBeGreaterThan(0, $"{Fault}\n{Log}");
        return this;
    }

    /// <summary>Nothing but pulls waited for a registry, which takes longer than this when it hangs; the table has the figure.</summary>
    public Effect ShouldNotHaveSlowedDown()
    {
        Through.Slow.ShouldBeLessThan(s_aRegistrysTime, $"{Fault}: {Through.Slowdown:0.0} times as slow as before");
        return this;
    }
}
