using ImageCriShim.Configuration;
using ImageCriShim.Cri;
using ImageCriShim.Registries;
using ImageCriShim.Relay;
using ImageCriShim.Rewriting;
using Microsoft.Extensions.Logging;

namespace ImageCriShim;

/// <summary>Where calls go, with everything that it takes, `new` from top to bottom.</summary>
internal sealed class CallRouting : IDisposable
{
    private readonly Stack<IDisposable> _parts = [];

    /// <summary>As the settings say.</summary>
    internal CallRouting(ShimSettings settings, RuntimeSocket runtime, ILogger log)
    {
        var registries = Use(new RegistryClient(TimeProvider.System));
        var calls = Use(new RuntimeClient(runtime));
        var outages = Use(new Outages(registries, TimeProvider.System, log));
        var state = Use(NodeState.Open(settings.StateDirectory, log));
        Use(new Hosting.Reminder(state.Remind, TimeProvider.System));
        var resolver = new Resolver(settings, outages, TimeProvider.System);
        var environment = new CallEnvironment(settings, resolver, registries, calls, state.Pulls, state.Missing, TimeProvider.System, log);
        var beginning = new ConnectionBeginning(() => environment, new RecordBeginning(state, calls, TimeProvider.System, log));
        Begin = new CriRouter(() => environment, beginning.Begin).Begin;
    }

    /// <summary>Without settings: everything is forwarded unread.</summary>
    internal CallRouting(RuntimeSocket runtime) => Begin = new UneditedCalls(Use(new RuntimeClient(runtime))).Begin;

    internal BeginRouting Begin { get; }

    public void Dispose()
    {
        while (_parts.TryPop(out var part))
            part.Dispose();
    }

    private T Use<T>(T part)
        where T : IDisposable
    {
        _parts.Push(part);
        return part;
    }
}
