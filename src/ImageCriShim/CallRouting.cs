using ImageCriShim.Configuration;
using ImageCriShim.Cri;
using ImageCriShim.Metrics;
using ImageCriShim.Registries;
using ImageCriShim.Relay;
using ImageCriShim.Rewriting;
using Microsoft.Extensions.Logging;

namespace ImageCriShim;

/// <summary>
/// Where calls go, with everything that it takes, `new` from top to bottom. Until the first <see cref="Adopt"/> every call is forwarded unread.
/// </summary>
internal sealed class CallRouting : IDisposable
{
    private readonly ShimMetrics _metrics;
    private readonly Stack<IDisposable> _parts = [];
    private readonly RuntimeClient _runtime;
    private readonly ILogger _log;
    private RecordBeginning? _record;
    private Outages? _outages;
    private NodeState? _state;
    private CallEnvironment? _environment; // the one reference that a reload replaces; a call keeps what it began with

    internal CallRouting(RuntimeSocket runtime, ShimMetrics metrics, ILogger log)
    {
        (_runtime, _metrics, _log, Runtime) = (Use(new RuntimeClient(runtime)), metrics, log, runtime);
        var beginning = new ConnectionBeginning(_runtime, () => Volatile.Read(ref _environment), () => _record);
        Begin = new CriRouter(() => Volatile.Read(ref _environment), beginning.Begin).Begin;
    }

    internal BeginRouting Begin { get; }

    internal RuntimeSocket Runtime { get; }

    /// <summary>What calls that begin now work with; null while none is edited.</summary>
    internal CallEnvironment? Environment => Volatile.Read(ref _environment);

    /// <summary>Registries that are not waited for.</summary>
    internal IReadOnlyList<SetAsideRegistry> SetAside => _outages?.All ?? [];

    /// <summary>What is to be kept over a restart is on the disk, or about to be.</summary>
    internal bool IsStateKept => _state?.IsKept is not false;

    /// <returns>Null where it does not say in time.</returns>
    internal (string Name, string Version)? AskRuntimeForItsVersion(TimeSpan patience) => RuntimeVersions.AskForName(_runtime, patience);

    /// <summary>What is kept over a restart; null while no call is edited.</summary>
    internal NodeState? State => _state;

    /// <summary>Calls that begin from now on go by these. One at a time.</summary>
    internal void Adopt(ShimSettings settings)
    {
        if (_environment is not { } before)
        {
            Volatile.Write(ref _environment, Make(settings));
            return;
        }

        settings = settings.Keeping(before.Settings);
        Volatile.Write(ref _environment, before.With(settings));
        _outages!.Keep(settings.Registries);
        before.Registries.Keep(before.Settings.Registries, settings.Registries);
    }

    public void Dispose()
    {
        while (_parts.TryPop(out var part))
            part.Dispose();
    }

    private CallEnvironment Make(ShimSettings settings)
    {
        var registries = Use(new RegistryClient(TimeProvider.System));
        _outages = Use(new Outages(registries, TimeProvider.System, _log, _metrics));
        var state = _state = Use(NodeState.Open(settings.StateDirectory, _log));
        Use(new Hosting.Reminder(state.Remind, TimeProvider.System));
        _record = new RecordBeginning(state, _runtime, TimeProvider.System, _log);
        var resolver = new Resolver(settings, _outages, TimeProvider.System);
        Use(new CacheStats(() => _environment!, settings, TimeProvider.System));
        return new CallEnvironment(settings, resolver, registries, _runtime, state.Pulls, state.Missing, TimeProvider.System, _log) { Metrics = _metrics };
    }

    private T Use<T>(T part)
        where T : IDisposable
    {
        _parts.Push(part);
        return part;
    }
}
