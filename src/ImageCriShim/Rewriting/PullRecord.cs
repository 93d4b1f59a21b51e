using ImageCriShim.Images;

namespace ImageCriShim.Rewriting;

/// <summary>
/// The record of rewrites: which image came by which name, and who paid. It is never needed, only useful: nothing that is called for
/// an image waits for it or fails because of it.
/// </summary>
/// <param name="pulls">What was recorded before.</param>
/// <param name="changed">Called after each change, outside of any lock; must not block.</param>
internal sealed class PullRecord(IEnumerable<RecordedPull> pulls, Action? changed = null)
{
    /// <summary>kubelet's garbage collection keeps a node far below; at some 400 octets each the file stays below 2 MiB.</summary>
    internal const int MaxPulls = 4096;

    private readonly Dictionary<string, RecordedPull> _pulls = Index(pulls);
    private readonly Lock _gate = new();
    private GivenNames? _names; // made when it is first asked for
    private RecordedPull[]? _snapshot; // until the next change
    private int _version;

    /// <summary>A snapshot, oldest first.</summary>
    public IReadOnlyList<RecordedPull> All
    {
        get
        {
            lock (_gate)
                return [.. _pulls.Values.OrderBy(pull => pull.At)];
        }
    }

    /// <summary>All of them at this moment, in no order.</summary>
    public IReadOnlyList<RecordedPull> Snapshot
    {
        get
        {
            lock (_gate)
                return _snapshot ??= [.. _pulls.Values];
        }
    }

    /// <summary>The same pulls by what the runtime calls the images; always up to date.</summary>
    public GivenNames Names
    {
        get
        {
            if (Volatile.Read(ref _names) is { } names)
                return names;
            lock (_gate)
            {
                names = new GivenNames();
                foreach (var pull in _pulls.Values.OrderBy(pull => pull.At))
                    names.Add(pull);
                return _names ??= names;
            }
        }
    }

    /// <summary>Another one after each change.</summary>
    public int Version => Volatile.Read(ref _version);

    /// <summary>The last pull of that image, however it is spelled.</summary>
    public RecordedPull? Find(string given)
    {
        var keys = RecordedPull.KeysOf(given);
        lock (_gate)
            return keys.Select(key => _pulls.GetValueOrDefault(key)).FirstOrDefault(pull => pull is not null);
    }

    /// <summary>
    /// The repositories that images of this one came from: an image that was pulled by its tag is known by its digest as well.
    /// </summary>
    public IReadOnlyList<string> RepositoriesOf(string given)
    {
        lock (_gate)
            return [.. _pulls.Values.Where(pull => pull.GivenName?.Name == given).Select(pull => pull.ActualName?.Name).OfType<string>().Distinct()];
    }

    /// <summary>
    /// Takes the place of an earlier pull of the same name. What once came without a pod's secret stays free of it, as long as it is the
    /// same image.
    /// </summary>
    public void Add(RecordedPull pull)
    {
        if (!pull.IsReasonable)
            return;
        lock (_gate)
        {
            if (_pulls.TryGetValue(pull.Key, out var earlier) && earlier.IsSameImageAs(pull) && earlier.IsForEverybody && !pull.IsForEverybody)
                pull = pull with { With = earlier.With };
            Put(pull);
            if (_pulls.Count > MaxPulls)
                Drop(_pulls.Values.MinBy(other => other.At)!);
        }

        changed?.Invoke();
    }

    /// <summary>What was recorded before, and has been read only now: what was pulled meanwhile stays as it is.</summary>
    public void AddEarlier(IEnumerable<RecordedPull> pulls)
    {
        lock (_gate)
        {
            var earlier = Index(pulls).Values.Where(pull => !_pulls.ContainsKey(pull.Key)).OrderBy(pull => pull.At).ToList();
            earlier.TakeLast(MaxPulls - _pulls.Count).ToList().ForEach(Put);
            _names = null; // whose order is that of the pulls
        }
    }

    /// <summary>An image was removed: whatever was given for it, or came by one of these names or IDs, is forgotten.</summary>
    public void Forget(params IReadOnlyCollection<string> names)
    {
        var keys = names.SelectMany(RecordedPull.KeysOf).ToHashSet();
        var images = names.Select(name => ImageId.HexOf(name).ToString()).ToHashSet();
        Forget(pull => keys.Contains(pull.Key) || names.Contains(pull.Actual) || images.Contains(ImageId.HexOf(pull.ImageRef).ToString()));
    }

    /// <summary>These are not on the node any more. What was pulled again meanwhile stays.</summary>
    public void Forget(IReadOnlyCollection<RecordedPull> pulls)
    {
        if (pulls.Count > 0)
            Forget(pulls.ToHashSet<RecordedPull>(ReferenceEqualityComparer.Instance).Contains);
    }

    private void Forget(Func<RecordedPull, bool> isGone)
    {
        int forgotten;
        lock (_gate)
        {
            var gone = _pulls.Values.Where(isGone).ToList();
            gone.ForEach(Drop);
            forgotten = gone.Count;
        }

        if (forgotten > 0)
            changed?.Invoke();
    }

    private void Put(RecordedPull pull)
    {
        if (_pulls.TryGetValue(pull.Key, out var earlier))
            Drop(earlier);
        _pulls[pull.Key] = pull;
        _names?.Add(pull);
        _snapshot = null;
        _version++;
    }

    private void Drop(RecordedPull pull)
    {
        _pulls.Remove(pull.Key);
        _names?.Remove(pull);
        _snapshot = null;
        _version++;
    }

    private static Dictionary<string, RecordedPull> Index(IEnumerable<RecordedPull> pulls)
    {
        var index = new Dictionary<string, RecordedPull>();
        foreach (var pull in pulls.Where(pull => pull.IsReasonable).OrderBy(pull => pull.At).TakeLast(MaxPulls))
            index[pull.Key] = pull;
        return index;
    }
}
