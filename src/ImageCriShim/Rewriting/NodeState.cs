using Microsoft.Extensions.Logging;

namespace ImageCriShim.Rewriting;

/// <summary>What is kept on this node over restarts: the record of pulls, and what no registry had. Never needed, only useful.</summary>
internal sealed class NodeState : IDisposable
{
    // A disk that hangs must not hold up a start for long; one that is only slow, on a node that has just been booted, needs less.
    private static readonly TimeSpan s_readPatience = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan s_flushPatience = TimeSpan.FromSeconds(5);

    private readonly StateKeeper<RecordedPull> _pulls;
    private readonly StateKeeper<MissingImage> _missing;
    private readonly StateDirectory _directory;
    private readonly Lock _gate = new(); // over who keeps the files
    private readonly Task _reading;
    private readonly StateFile<RecordedPull> _pullsFile;
    private readonly StateFile<MissingImage> _missingFile;
    private volatile bool _isNew;
    private volatile IReadOnlyCollection<object>? _frozen; // what the other process has read from the files

    private NodeState(StateDirectory directory, ILogger log)
    {
        var pulls = _pullsFile = new StateFile<RecordedPull>(StateJson.Pulls, directory, log);
        var missing = _missingFile = new StateFile<MissingImage>(StateJson.Missing, directory, log);
        _directory = directory;
        _reading = new Task(Read, TaskCreationOptions.LongRunning); // a disk that hangs keeps the thread
        _pulls = new StateKeeper<RecordedPull>(pulls, () => Pulls!.All, _reading);
        _missing = new StateKeeper<MissingImage>(missing, () => Missing!.All, _reading);
        Pulls = new PullRecord([], _pulls.WriteSoon);
        Missing = new MissingImages([], _missing.WriteSoon);
    }

    public PullRecord Pulls { get; }

    public MissingImages Missing { get; }

    /// <summary>The record had to be begun anew: images that are on the node may have come by other names, and nobody knows.</summary>
    public bool IsNew => _isNew;

    /// <summary>What changes is on the disk, or about to be.</summary>
    public bool IsKept => _directory.IsFine;

    /// <summary>
    /// Throws nothing for what a disk can do: what cannot be read is begun anew. What takes long to read is added when it has been.
    /// </summary>
    /// <param name="patience">How long it may take before it is left to come later: some seconds by default.</param>
    public static NodeState Open(string directory, ILogger log, TimeSpan? patience = null)
    {
        var state = new NodeState(new StateDirectory(directory, log), log);
        state._reading.Start(TaskScheduler.Default);
        if (state._reading.Wait(patience ?? s_readPatience))
            return state;
        Log.StateNotReadYet(log, directory);
        state._reading.ContinueWith(_ => Log.StateIsRead(log, directory), TaskScheduler.Default);
        return state;
    }

    /// <summary>The next start finds the record, even if nothing is in it yet.</summary>
    public void Begin() => _pulls.WriteSoon();

    /// <summary>While the directory cannot be used: tries again, which says so again, or that it can.</summary>
    public void Remind()
    {
        if (!_directory.ForgetThatItWasSaid())
            return;
        _missing.WriteSoon();
        _pulls.Retry();
    }

    /// <summary>Waits a while for the disk.</summary>
    public void Dispose() => Task.WaitAll([_pulls.Flush(), _missing.Flush()], s_flushPatience);

    /// <summary>
    /// Writes what is known, and nothing after that: the successor of this process is about to read the files, and keeps them from now on.
    /// Waits a while for the disk; what it has not taken by then is <see cref="News"/>.
    /// </summary>
    public void Freeze()
    {
        IReadOnlyCollection<object> known = [.. Pulls.Snapshot, .. Missing.All];
        lock (_gate)
            _frozen = [];
        var writing = Task.WhenAll(_pulls.Freeze(), _missing.Freeze());
        if (writing.Wait(s_flushPatience) && writing.Result.All(isSaved => isSaved))
            _frozen = known;
        _pulls.LeaveToOthers();
        _missing.LeaveToOthers();
    }

    /// <summary>The successor is gone: reads what it has kept, and keeps the files again after that. Does not wait for the disk.</summary>
    public void Resume()
    {
        if (_frozen is null)
            return;
        lock (_gate)
            _frozen = null;
        new Task(ReadAgain, TaskCreationOptions.LongRunning).Start(TaskScheduler.Default);
    }

    private void ReadAgain()
    {
        Read();
        lock (_gate)
        {
            if (_frozen is not null)
                return; // another successor keeps them meanwhile
            _pulls.Resume();
            _missing.Resume();
        }
    }

    /// <summary>What has come since <see cref="Freeze"/>, and what the disk had not taken then; some of it, until that is <see cref="Acknowledge"/>d.</summary>
    public StateNews News
    {
        get
        {
            if (_frozen is not { } frozen)
                return new StateNews([], []);
            var known = frozen.ToHashSet(ReferenceEqualityComparer.Instance);
            var pulls = Pulls.Snapshot.Where(pull => !known.Contains(pull)).Take(StateNews.Most);
            return new StateNews([.. pulls], [.. Missing.All.Where(image => !known.Contains(image)).Take(StateNews.Most)]);
        }
    }

    /// <summary>The successor has it.</summary>
    public void Acknowledge(StateNews news)
    {
        if (_frozen is { } known)
            _frozen = [.. known, .. news.Pulls, .. news.Missing];
    }

    /// <summary>Takes pulls that a predecessor of this process has ended since it handed over, as its <see cref="News"/> say.</summary>
    /// <returns>False: they cannot be read.</returns>
    public bool TryAddPulls(ReadOnlyMemory<byte> pulls)
    {
        if (StateJson.Pulls.TryRead(pulls.ToArray(), out _) is not { } news)
            return false;
        foreach (var pull in news.Where(pull => Pulls.Find(pull.Given) is not { } known || known.At <= pull.At))
            Pulls.Add(pull);
        return true;
    }

    /// <summary>Takes missing images of a predecessor, like <see cref="TryAddPulls"/>.</summary>
    /// <returns>False: they cannot be read.</returns>
    public bool TryAddMissing(ReadOnlyMemory<byte> missing)
    {
        if (StateJson.Missing.TryRead(missing.ToArray(), out _) is not { } news)
            return false;
        Missing.AddEarlier(news);
        _missing.WriteSoon();
        return true;
    }

    private void Read()
    {
        var known = _pullsFile.Load();
        if (known is { Count: > 0 })
            Pulls.AddEarlier(known);
        if (_missingFile.Load() is { Count: > 0 } missed)
            Missing.AddEarlier(missed);
        _isNew = known is null;
    }
}

/// <summary>What a process learns after it has handed over, and its successor is to keep.</summary>
internal sealed record StateNews(IReadOnlyList<RecordedPull> Pulls, IReadOnlyList<MissingImage> Missing)
{
    /// <summary>Of either kind: so many fit into one message (1 MiB), each as long as it may be.</summary>
    public const int Most = 100;

    public bool IsEmpty => Pulls.Count == 0 && Missing.Count == 0;

    /// <summary>As the file would hold them; empty where there are none.</summary>
    public ReadOnlyMemory<byte> FormatPulls() => Pulls.Count == 0 ? default : StateJson.Pulls.Write(Pulls);

    /// <summary>As the file would hold them; empty where there are none.</summary>
    public ReadOnlyMemory<byte> FormatMissing() => Missing.Count == 0 ? default : StateJson.Missing.Write(Missing);
}
