using ImageCriShim.Registries;

namespace ImageCriShim.Rewriting;

/// <summary>What registries said of images, for as long as it is believed. Outlives a reload that leaves the registries as they are. Thread-safe.</summary>
/// <param name="size">So many images.</param>
internal sealed class KnownAnswers(int size)
{
    private readonly LruCache<string, ProbeRound> _rounds = new(size);
    private readonly Lock _gate = new();

    /// <summary>Of how many images.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
                return _rounds.Count;
        }
    }

    /// <param name="key">The reference.</param>
    public ProbeRound? Find(string key)
    {
        lock (_gate)
            return _rounds.TryGet(key, out var round) ? round : null;
    }

    public void Remember(string key, ProbeRound round)
    {
        lock (_gate)
            _rounds.Set(key, round);
    }

    public void Forget(string key, Func<ProbeRound, bool> isMeant)
    {
        lock (_gate)
        {
            if (_rounds.TryGet(key, out var round) && isMeant(round))
                _rounds.Remove(key);
        }
    }
}
