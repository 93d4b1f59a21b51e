using ImageCriShim.Registries;
using ImageCriShim.Rewriting;

namespace ImageCriShim.Cri;

/// <summary>
/// Registries that say they have an image and do not send its data: their storage hangs, or the line to them does. How long a pull waits
/// for data is the runtime's affair, minutes with containerd, so after one such pull other registries come first for that image in that
/// namespace, and after those of two images in two namespaces for every image. So nobody who may create pods in one namespace changes where
/// the images of others come from. Pulls that name no pod are as of one namespace that everybody is in. One object for the process.
/// </summary>
internal sealed class StalledRegistries(TimeProvider time)
{
    /// <summary>A pull that fails later than this was waiting for data; one that a registry refuses fails in a second.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>How long other registries come first. Then one pull finds out, and if it finds the same it has cost minutes again.</summary>
    internal static readonly TimeSpan Rest = TimeSpan.FromMinutes(10);

    private const int MaxStalls = 256; // each has cost a pull of minutes within the last ten
    private const int MaxRegistries = 64; // more than are configured

    private readonly LruCache<Stall, long> _stalls = new(MaxStalls);
    private readonly LruCache<Uri, (Stall Stall, long At)> _last = new(MaxRegistries);
    private readonly LruCache<Uri, long> _whole = new(MaxRegistries);
    private readonly Lock _gate = new();

    /// <param name="podNamespace">Of the pod that the image is for; empty where the caller names none.</param>
    internal bool Contains(Candidate candidate, string podNamespace)
    {
        if (Stall.Of(candidate, podNamespace) is not { } stall)
            return false;
        lock (_gate)
        {
            return (_whole.TryGet(stall.Registry, out var since) && IsRecent(since))
                || (_stalls.TryGet(stall, out since) && IsRecent(since));
        }
    }

    /// <summary>A pull from there has failed.</summary>
    /// <param name="waited">How long the runtime took to give it up.</param>
    /// <returns>Whether that was a stall.</returns>
    internal bool Add(Candidate candidate, string podNamespace, GrpcStatus status, TimeSpan waited)
    {
        if (waited < Patience || !WantOfData.IsReasonOf(status) || Stall.Of(candidate, podNamespace) is not { } stall)
            return false;
        lock (_gate)
            Add(stall, time.GetTimestamp());
        return true;
    }

    /// <summary>
    /// A pull from there was ended by the settings' <c>timeout</c>: the data may come slowly or not at all, which containerd 2 does not
    /// notice. That says something of this image in this namespace, and nothing of the whole registry.
    /// </summary>
    /// <param name="waited">How long it had.</param>
    /// <param name="timeout">
    /// Of the settings. Where it is short, half of it is enough, or every pull of the image would wait for it as this one did.
    /// </param>
    /// <returns>Whether it counts.</returns>
    internal bool AddLate(Candidate candidate, string podNamespace, TimeSpan waited, TimeSpan timeout)
    {
        if ((waited < Patience && waited < timeout / 2) || Stall.Of(candidate, podNamespace) is not { } stall)
            return false;
        lock (_gate)
            _stalls.Set(stall, time.GetTimestamp());
        return true;
    }

    /// <summary>It has given an image.</summary>
    internal void Remove(Candidate candidate, string podNamespace)
    {
        if (Stall.Of(candidate, podNamespace) is not { } stall)
            return;
        lock (_gate)
        {
            _stalls.Remove(stall);
            _last.Remove(stall.Registry);
            _whole.Remove(stall.Registry);
        }
    }

    private void Add(Stall stall, long now)
    {
        _stalls.Set(stall, now);
        if (_last.TryGet(stall.Registry, out var before) && IsRecent(before.At) && before.Stall.IsBeside(stall))
            _whole.Set(stall.Registry, now);
        else
            _last.Set(stall.Registry, (stall, now));
    }

    private bool IsRecent(long since) => time.GetElapsedTime(since) < Rest;

    /// <param name="Registry">Which did not send the data.</param>
    /// <param name="Repository">Of the image there: tags of one share their layers.</param>
    /// <param name="PodNamespace">Of the pod that waited for it.</param>
    private sealed record Stall(Uri Registry, string Repository, string PodNamespace)
    {
        internal static Stall? Of(Candidate candidate, string podNamespace) =>
            candidate is { Registry.Address.Endpoint: { } registry, Name.Repository: { } repository }
                ? new Stall(registry, repository, podNamespace)
                : null;

        /// <summary>Whether both together say more of the registry than of an image, or of one tenant.</summary>
        internal bool IsBeside(Stall other) =>
            Repository != other.Repository && (PodNamespace != other.PodNamespace || PodNamespace.Length == 0);
    }
}
