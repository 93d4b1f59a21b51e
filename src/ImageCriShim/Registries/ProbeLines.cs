namespace ImageCriShim.Registries;

/// <summary>
/// How many questions are put to registries at once. Whoever comes later waits in line before his probe's time begins to run: a registry
/// that is busy with us must not be taken for one that hangs.
/// </summary>
internal sealed class ProbeLines(TimeProvider time)
{
    /// <summary>A node starts far fewer different images at once. As many as there may be connections to it, so that none waits for one.</summary>
    public const int MaxPerRegistry = RegistryConnections.MaxPerServer;

    /// <summary>Over all registries: several of them that hang at once leave room for the others.</summary>
    public const int MaxAtOnce = 512;

    /// <summary>Waiting, of one registry and over all: more than pulls may be in progress, each asking once.</summary>
    public const int MaxWaiting = 8192;

    /// <summary>Of a probe for its turn; by then 32 at a time have been answered for a minute.</summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    private const int MaxRegistries = 1024; // who falls out has another line from then on: more at once, and nothing worse

    private readonly LruCache<object, Places> _ofRegistry = new(MaxRegistries);
    private readonly Places _ofAll = new(MaxAtOnce, MaxWaiting, time);
    private readonly Lock _gate = new();

    /// <param name="registry">What makes two registries the same.</param>
    /// <param name="patience">How long to wait in line.</param>
    /// <param name="ask">The probe.</param>
    /// <param name="cancellation">Nobody wants the answer any more.</param>
    /// <returns>Null: its turn did not come.</returns>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was.</exception>
    public async Task<ProbeResult?> InTurn(object registry, TimeSpan patience, Func<Task<ProbeResult>> ask, CancellationToken cancellation)
    {
        using var first = await LineOf(registry).Enter(patience, cancellation);
        if (first is null)
            return null;
        using var second = await _ofAll.Enter(patience, cancellation);
        return second is null ? null : await ask();
    }

    private Places LineOf(object registry)
    {
        lock (_gate)
        {
            if (!_ofRegistry.TryGet(registry, out var line))
                _ofRegistry.Set(registry, line = new Places(MaxPerRegistry, MaxWaiting, time));
            return line;
        }
    }
}
