namespace ImageCriShim.Registries.Auth;

/// <summary>
/// Remembers what repositories want to be sent, for each registry by repository and by the paths above it: one that was not asked for yet
/// is taken to want the same as its neighbours, as far as these agree.
/// </summary>
internal sealed class LearnedDemands
{
    private const int MaxRegistries = 256; // configured ones; reloads may change them
    private const int MaxPaths = 1024; // of one registry: a node pulls from some hundred repositories
    private const int MaxLevels = 4; // of paths above a repository; real ones have one or two
    private const string Host = "/";

    // By path; null: neighbours differ.
    private readonly LruCache<RegistryIdentity, LruCache<string, Demand?>> _byRegistry = new(MaxRegistries);
    private readonly Lock _gate = new();

    /// <returns>Null if nothing is known, or neighbours differ.</returns>
    public KnownDemand? Find(RegistryIdentity registry, string repository, Credential? account)
    {
        lock (_gate)
        {
            if (!_byRegistry.TryGet(registry, out var byPath))
                return null;
            if (byPath.TryGet(repository, out var own))
                return new KnownDemand(own!, IsGuess: false);
            foreach (var path in Above(repository))
            {
                if (!byPath.TryGet(path, out var found))
                    continue;
                var isUsable = found is not null && MayBeGuessed(found, registry, account);
                return isUsable ? new KnownDemand(found!, IsGuess: path == Host) : null;
            }
            return null;
        }
    }

    /// <summary>The repository has taken this. That it takes everything says nothing about its neighbours.</summary>
    public void Learn(RegistryIdentity registry, string repository, Demand demand)
    {
        lock (_gate)
        {
            if (!_byRegistry.TryGet(registry, out var byPath))
                _byRegistry.Set(registry, byPath = new(MaxPaths));
            byPath.TryGet(repository, out var before);
            byPath.Set(repository, demand);
            foreach (var path in demand.Scheme == AuthScheme.None ? [] : Above(repository))
            {
                var isFirst = !byPath.TryGet(path, out var present);
                var isSame = present is not null && (present.IsLike(demand) || before?.IsLike(present) == true); // or it has moved
                byPath.Set(path, isFirst || isSame ? demand : null);
            }
        }
    }

    /// <summary>What was learned of the repository, and of those around it, may be wrong.</summary>
    public void Forget(RegistryIdentity registry, string repository)
    {
        lock (_gate)
        {
            if (!_byRegistry.TryGet(registry, out var byPath))
                return;
            byPath.Remove(repository);
            foreach (var path in Above(repository))
                byPath.Remove(path);
        }
    }

    /// <summary>Forgets all other registries.</summary>
    public void Keep(IReadOnlySet<RegistryIdentity> registries)
    {
        lock (_gate)
            _byRegistry.RemoveWhere(registry => !registries.Contains(registry));
    }

    /// <summary>By guess an account goes to a token server that was named for it, or is the registry's own host.</summary>
    private static bool MayBeGuessed(Demand demand, RegistryIdentity registry, Credential? account) =>
        demand.Terms is null || account is null || account == demand.Account
        || Redirection.StaysWith(registry.Endpoint, demand.Terms.Realm.Uri);

    /// <summary>The nearest first, the host last. They end with a slash, as no repository does.</summary>
    private static IEnumerable<string> Above(string repository)
    {
        var ends = repository.Index().Where(at => at.Item == '/').Select(at => at.Index + 1).Take(MaxLevels).Reverse();
        return ends.Select(end => repository[..end]).Append(Host);
    }
}
