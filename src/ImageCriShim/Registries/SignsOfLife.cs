namespace ImageCriShim.Registries;

/// <summary>When each registry answered last, and one question at a time to each of which that is to be found out. Thread-safe.</summary>
/// <param name="time">The clock.</param>
internal sealed class SignsOfLife(TimeProvider time)
{
    private const int MaxRegistries = 64; // more than are configured

    private readonly LruCache<RegistryIdentity, long> _answered = new(MaxRegistries);
    private readonly SharedWork<RegistryIdentity, ProbeResult> _asked = new();
    private readonly Lock _gate = new();

    /// <summary>The registry has just given a real answer, whatever it was asked.</summary>
    internal void Note(Registry registry)
    {
        lock (_gate)
            _answered.Set(RegistryIdentity.Of(registry), time.GetTimestamp());
    }

    /// <summary>Returns when the registry has answered since then, or a question to it has ended.</summary>
    /// <param name="registry">One question at a time goes to it, however many want to know.</param>
    /// <param name="since">A timestamp.</param>
    /// <param name="ask">Puts the question.</param>
    /// <param name="stopping">The process ends. A caller that goes away ends no question: that would cost its connection.</param>
    /// <exception cref="OperationCanceledException"><paramref name="stopping"/> was.</exception>
    internal Task Await(Registry registry, long since, Func<Task<ProbeResult>> ask, CancellationToken stopping) =>
        HasAnsweredSince(registry, since) ? Task.CompletedTask : _asked.Join(RegistryIdentity.Of(registry), _ => ask(), stopping);

    private bool HasAnsweredSince(Registry registry, long since)
    {
        lock (_gate)
            return _answered.TryGet(RegistryIdentity.Of(registry), out var at) && at >= since;
    }
}
