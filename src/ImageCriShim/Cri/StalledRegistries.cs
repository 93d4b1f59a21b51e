using ImageCriShim.Registries;
using ImageCriShim.Rewriting;

namespace ImageCriShim.Cri;

/// <summary>
/// Registries that say they have an image and do not give it: their storage hangs, or the line to them does. How long a pull is waited for is the
/// runtime's affair, minutes with containerd, so after one such pull the others go elsewhere first. One object for the process.
/// </summary>
internal sealed class StalledRegistries(TimeProvider time)
{
    /// <summary>A pull that fails later than this was waiting for the registry; one that a registry refuses fails in a second.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>How long other registries come first. Then one pull finds out, and if it finds the same it has cost minutes again.</summary>
    internal static readonly TimeSpan Rest = TimeSpan.FromMinutes(10);

    private const int MaxRegistries = 64; // more than are configured

    private readonly LruCache<Uri, long> _since = new(MaxRegistries);
    private readonly Lock _gate = new();

    internal bool Contains(Candidate candidate)
    {
        if (candidate.Registry is not { } registry)
            return false;
        lock (_gate)
            return _since.TryGet(registry.Address.Endpoint, out var since) && time.GetElapsedTime(since) < Rest;
    }

    /// <summary>A pull from there has ended in vain.</summary>
    /// <returns>Whether that was a stall.</returns>
    internal bool Add(Candidate candidate, TimeSpan waited)
    {
        if (waited < Patience || candidate.Registry is not { } registry)
            return false;
        lock (_gate)
            _since.Set(registry.Address.Endpoint, time.GetTimestamp());
        return true;
    }

    /// <summary>It has given an image.</summary>
    internal void Remove(Candidate candidate)
    {
        if (candidate.Registry is not { } registry)
            return;
        lock (_gate)
            _since.Remove(registry.Address.Endpoint);
    }
}
