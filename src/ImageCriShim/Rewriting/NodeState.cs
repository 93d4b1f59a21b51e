using Microsoft.Extensions.Logging;

namespace ImageCriShim.Rewriting;

/// <summary>What is kept on this node over restarts: the record of pulls, and what no registry had. Never needed, only useful.</summary>
internal sealed class NodeState : IDisposable
{
    private readonly StateKeeper<RecordedPull> _pulls;
    private readonly StateKeeper<MissingImage> _missing;

    private readonly StateDirectory _directory;

    private NodeState(
        IReadOnlyList<RecordedPull>? pulls,
        IReadOnlyList<MissingImage>? missing,
        StateFile<RecordedPull> pullFile,
        StateFile<MissingImage> missingFile,
        StateDirectory directory)
    {
        _directory = directory;
        IsNew = pulls is null;
        _pulls = new StateKeeper<RecordedPull>(pullFile, () => Pulls!.All);
        _missing = new StateKeeper<MissingImage>(missingFile, () => Missing!.All);
        Pulls = new PullRecord(pulls ?? [], _pulls.WriteSoon);
        Missing = new MissingImages(missing ?? [], _missing.WriteSoon);
    }

    public PullRecord Pulls { get; }

    public MissingImages Missing { get; }

    /// <summary>The record had to be begun anew: images that are on the node may have come by other names, and nobody knows.</summary>
    public bool IsNew { get; }

    /// <summary>Throws nothing for what a disk can do: what cannot be read is begun anew.</summary>
    public static NodeState Open(string directory, ILogger log)
    {
        var shared = new StateDirectory(directory, log);
        var pulls = new StateFile<RecordedPull>(StateJson.Pulls, shared, log);
        var missing = new StateFile<MissingImage>(StateJson.Missing, shared, log);
        return new NodeState(pulls.Load(), missing.Load(), pulls, missing, shared);
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

    public void Dispose()
    {
        _pulls.Dispose();
        _missing.Dispose();
    }
}
