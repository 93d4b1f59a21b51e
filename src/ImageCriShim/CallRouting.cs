using ImageCriShim.Configuration;
using ImageCriShim.Cri;
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
    private readonly Stack<IDisposable> _parts = [];
    private readonly RuntimeClient _runtime;
    private readonly ILogger _log;
    private RecordBeginning? _record;
    private Outages? _outages;
    private CallEnvironment? _environment; // the one reference that a reload replaces; a call keeps what it began with

    internal CallRouting(RuntimeSocket runtime, ILogger log)
    {
        (_runtime, _log, Runtime) = (Use(new RuntimeClient(runtime)), log, runtime);
        var beginning = new ConnectionBeginning(_runtime, () => Volatile.Read(ref _environment), () => _record);
        Begin = new CriRouter(() => Volatile.Read(ref _environment), beginning.Begin).Begin;
    }

    internal BeginRouting Begin { get; }

    internal RuntimeSocket Runtime { get; }

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
        before.Registries.Keep(settings.Registries);
    }

    public void Dispose()
    {
        while (_parts.TryPop(out var part))
            part.Dispose();
    }

    private CallEnvironment Make(ShimSettings settings)
    {
        var registries = Use(new RegistryClient(TimeProvider.System));
        _outages = Use(new Outages(registries, TimeProvider.System, _log));
        var state = Use(NodeState.Open(settings.StateDirectory, _log));
        Use(new Hosting.Reminder(state.Remind, TimeProvider.System));
        _record = new RecordBeginning(state, _runtime, TimeProvider.System, _log);
        var resolver = new Resolver(settings, _outages, TimeProvider.System);
        return new CallEnvironment(settings, resolver, registries, _runtime, state.Pulls, state.Missing, TimeProvider.System, _log);
    }

    private T Use<T>(T part)
        where T : IDisposable
    {
        _parts.Push(part);
        return part;
    }
}
