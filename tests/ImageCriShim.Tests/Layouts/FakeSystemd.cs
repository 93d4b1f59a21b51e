namespace ImageCriShim.Tests.Layouts;

/// <summary>
/// A stand-in of systemd, which starts the units of a node's files: kubelets are told what their units and files say at that time, and the
/// shim's socket and service listen. What would take the node down while it does so is written down.
/// </summary>
internal sealed class FakeSystemd(NodeTree tree) : IDisposable
{
    private const string ShimSocket = "image-cri-shim.socket";
    private const string ShimService = "image-cri-shim.service";

    private readonly Dictionary<string, RunningUnit> _running = [];
    private HashSet<string> _mayRun = [];
    private volatile ShimProgram? _shim;

    public Lock Gate { get; } = new();

    /// <summary>Is called, within the gate, before and after each command and between a stop and a start.</summary>
    public Action<string> OnMoment { get; set; } = _ => { };

    public IReadOnlyList<RunningUnit> Kubelets => [.. _running.Values.Where(unit => unit.Kubelet is not null)];

    public bool IsRunning(string unit) => _running.ContainsKey(unit) || (unit == ShimService && _shim is not null);

    /// <summary>Starts what is enabled.</summary>
    public void Boot()
    {
        lock (Gate)
        {
            foreach (var unit in _running.Keys.ToList())
                StopUnit(unit);
            _mayRun = [.. LoadedUnit.Wanted(tree)];
            foreach (var unit in _mayRun.OrderBy(unit => unit switch { ShimSocket => 0, ShimService => 1, _ => 2 }))
                StartUnit(unit);
        }
    }

    public LoadedUnit? Find(string unit) => _running.TryGetValue(unit, out var running) ? running.Unit : LoadedUnit.Load(tree, unit);

    public void Reload()
    {
        foreach (var running in _running.Values.ToList())
            running.Unit = LoadedUnit.Load(tree, running.Unit.Name) ?? running.Unit;
    }

    /// <returns>The exit code of systemctl.</returns>
    public int Start(string unit, bool evenIfStopped = true) =>
        IsRunning(unit) || !evenIfStopped ? 0 : StartUnit(unit);

    public int Restart(string unit, bool evenIfStopped)
    {
        if (!IsRunning(unit))
            return Start(unit, evenIfStopped);
        StopUnit(unit);
        OnMoment($"{unit} was stopped, to be started again");
        return StartUnit(unit);
    }

    public int Stop(string unit)
    {
        var isThere = Find(unit) is not null;
        StopUnit(unit);
        return isThere ? 0 : 5;
    }

    public bool IsEnabled(string unit) => LoadedUnit.Wanted(tree).Contains(unit);

    public void Dispose()
    {
        lock (Gate)
        {
            foreach (var unit in _running.Keys.ToList())
                StopUnit(unit);
        }
    }

    private int StartUnit(string name)
    {
        if (Find(name) is not { IsMasked: false } unit)
            return name.EndsWith(".socket", StringComparison.Ordinal) || LoadedUnit.Load(tree, name) is null ? 5 : 1;
        foreach (var other in unit.Values("Conflicts").SelectMany(SystemdWords.Split))
            StopUnit(other);
        if (unit.Values("ConditionPathExists").Any(path => !tree.HasAnything(path)))
            return 0;
        if (name == ShimSocket && _shim is not null)
            return 1; // "Socket service already active, refusing": systemd.socket(5) binds only while the service does not run
        return StartIt(new RunningUnit(unit)) ? 0 : 1;
    }

    private bool StartIt(RunningUnit running)
    {
        if (running.Unit.Values("ListenStream") is [var socket])
            running.Sockets.Add(new AnsweringSocket(tree.At(socket), AnswerOfTheShim));
        else if (!StartProgram(running))
            return false;
        _running[running.Unit.Name] = running;
        return true;
    }

    private bool StartProgram(RunningUnit running)
    {
        var (words, variables) = running.Unit.Command(tree);
        switch (Path.GetFileName(words[0]))
        {
            case "image-cri-shim":
                _shim = ShimProgram.Start(tree);
                if (_shim is not null && !IsRunning(ShimSocket))
                    running.Sockets.Add(new AnsweringSocket(tree.At(_shim.Socket), AnswerOfTheShim));
                return _shim is not null;
            case "kubelet":
                running.Kubelet = KubeletSettings.Of(tree, words.Skip(1));
                break;
            case "k3s" or "rke2" when RancherSettings.Of(tree, Path.GetFileName(words[0]), [.. words.Skip(1)], variables) is var settings:
                running.Kubelet = settings.Kubelet;
                if (settings.OwnRuntime is { } runtime)
                    running.Sockets.Add(new AnsweringSocket(tree.At(runtime), () => runtime));
                break;
        }

        if (running.Kubelet is not null && !_mayRun.Contains(running.Unit.Name))
            throw new NodeFailure($"{running.Unit.Name} is started, which is neither running nor enabled");
        return true;
    }

    private void StopUnit(string name)
    {
        if (name == ShimService)
            _shim = null; // also of one that a call has started
        if (_running.Remove(name, out var running))
            running.Dispose();
    }

    /// <summary>Through the shim; where its service does not run, a call at systemd's socket starts it.</summary>
    private string? AnswerOfTheShim()
    {
        try
        {
            _shim ??= ShimProgram.Start(tree);
            return _shim is null ? null : $"shim, {AnsweringSocket.Ask(tree.At(_shim.Runtime))}";
        }
        catch (NodeFailure)
        {
            return null;
        }
    }
}

/// <summary>A unit that runs, with what it was told when it was started.</summary>
internal sealed class RunningUnit(LoadedUnit unit) : IDisposable
{
    public LoadedUnit Unit { get; set; } = unit;

    public KubeletSettings? Kubelet { get; set; }

    public List<AnsweringSocket> Sockets { get; } = [];

    public void Dispose() => Sockets.ForEach(socket => socket.Dispose());
}

/// <summary>What the shim's stand-in knows.</summary>
internal sealed record ShimProgram(string Socket, string Runtime)
{
    /// <returns>Null where it does not start: its program or its settings are not there.</returns>
    public static ShimProgram? Start(NodeTree tree)
    {
        const string settings = "/etc/image-cri-shim.yaml";
        if (!tree.Has("/usr/bin/image-cri-shim") || !tree.Has(settings))
            return null;
        var values = KubeletSettings.ReadYaml(tree, settings);
        var runtime = KubeletSettings.Plain(values.GetValueOrDefault("cri", "/run/containerd/containerd.sock"));
        var socket = KubeletSettings.Plain(values.GetValueOrDefault("shim", "/var/run/image-cri-shim.sock"));
        return new ShimProgram(WithoutScheme(socket), WithoutScheme(runtime));
    }
    private static string WithoutScheme(string endpoint) => endpoint.Replace("unix://", "", StringComparison.Ordinal);
}
