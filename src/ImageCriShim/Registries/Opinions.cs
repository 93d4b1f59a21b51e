namespace ImageCriShim.Registries;

/// <summary>The second opinions on registries that are being asked for, one at a time of each registry (<see cref="SecondOpinion"/>).</summary>
internal sealed class Opinions
{
    private readonly Dictionary<RegistryIdentity, Task> _underWay = [];
    private readonly Lock _gate = new();

    /// <summary>Asks for one, unless one is being asked for.</summary>
    internal Task Join(Registry registry, Func<Task> ask)
    {
        var identity = RegistryIdentity.Of(registry);
        lock (_gate)
            return _underWay.TryGetValue(identity, out var asked) ? asked : _underWay[identity] = Ask(identity, ask);
    }

    /// <summary>Returns when none is being asked for.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was.</exception>
    internal async Task WaitFor(Registry registry, CancellationToken cancellation)
    {
        Task? asked;
        lock (_gate)
            _underWay.TryGetValue(RegistryIdentity.Of(registry), out asked);
        if (asked is not null)
            await asked.WaitAsync(cancellation);
    }

    private async Task Ask(RegistryIdentity identity, Func<Task> ask)
    {
        await Task.Yield(); // it is to stand among the others first
        try
        {
            await ask();
        }
        finally
        {
            lock (_gate)
                _underWay.Remove(identity);
        }
    }
}
