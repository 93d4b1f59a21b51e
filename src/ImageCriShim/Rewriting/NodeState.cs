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
    private readonly Task _reading;
    private volatile bool _isNew;

    private NodeState(StateDirectory directory, ILogger log)
    {
        var pulls = new StateFile<RecordedPull>(StateJson.Pulls, directory, log);
        var missing = new StateFile<MissingImage>(StateJson.Missing, directory, log);
        _directory = directory;
        _reading = new Task(() => Read(pulls, missing), TaskCreationOptions.LongRunning); // a disk that hangs keeps the thread
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

    private void Read(StateFile<RecordedPull> pulls, StateFile<MissingImage> missing)
    {
        var known = pulls.Load();
        if (known is { Count: > 0 })
            Pulls.AddEarlier(known);
        if (missing.Load() is { Count: > 0 } missed)
            Missing.AddEarlier(missed);
        _isNew = known is null;
    }
}
