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

    /// <summary>A snapshot, oldest first.</summary>
    public IReadOnlyList<RecordedPull> All
    {
        get
        {
            lock (_gate)
                return [.. _pulls.Values.OrderBy(pull => pull.At)];
        }
    }

    /// <summary>The last pull of that image, however it is spelled.</summary>
    public RecordedPull? Find(string given)
    {
        var key = RecordedPull.KeyOf(given);
        lock (_gate)
            return _pulls.GetValueOrDefault(key);
    }

    /// <summary>The pulls that brought an image by this name.</summary>
    public IReadOnlyList<RecordedPull> Of(string actual)
    {
        lock (_gate)
            return [.. _pulls.Values.Where(pull => pull.Actual == actual)];
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
            if (_pulls.TryGetValue(pull.Key, out var earlier) && earlier.ImageRef == pull.ImageRef && earlier.IsForEverybody && !pull.IsForEverybody)
                pull = pull with { With = earlier.With };
            _pulls[pull.Key] = pull;
            if (_pulls.Count > MaxPulls)
                _pulls.Remove(_pulls.Values.MinBy(other => other.At)!.Key);
        }

        changed?.Invoke();
    }

    /// <summary>An image was removed: whatever was given for it, or came by one of these names or IDs, is forgotten.</summary>
    public void Forget(params IReadOnlyCollection<string> names)
    {
        var keys = names.Select(RecordedPull.KeyOf).ToHashSet();
        int forgotten;
        lock (_gate)
        {
            var gone = _pulls.Values.Where(pull => keys.Contains(pull.Key) || names.Contains(pull.Actual) || names.Contains(pull.ImageRef)).ToList();
            gone.ForEach(pull => _pulls.Remove(pull.Key));
            forgotten = gone.Count;
        }

        if (forgotten > 0)
            changed?.Invoke();
    }

    private static Dictionary<string, RecordedPull> Index(IEnumerable<RecordedPull> pulls)
    {
        var index = new Dictionary<string, RecordedPull>();
        foreach (var pull in pulls.Where(pull => pull.IsReasonable).OrderBy(pull => pull.At).TakeLast(MaxPulls))
            index[pull.Key] = pull;
        return index;
    }
}
