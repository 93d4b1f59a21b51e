namespace ImageCriShim.Rewriting;

/// <summary>
/// Keeps the record on the disk, behind everybody's back: changes that come while it is being written are written together, next.
/// </summary>
internal sealed class PullRecordKeeper : IDisposable
{
    private static readonly TimeSpan s_flushPatience = TimeSpan.FromSeconds(5); // a disk that hangs must not hold up a restart

    private readonly PullRecordFile _file;
    private readonly Lock _gate = new();
    private Task _writing = Task.CompletedTask;
    private bool _isDue; // something is not on the disk yet
    private bool _isWriting;

    public PullRecordKeeper(PullRecordFile file)
    {
        _file = file;
        Record = new PullRecord(file.Load(), WriteSoon);
    }

    public PullRecord Record { get; }

    /// <summary>Waits until what is known is on the disk, where the disk takes it.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_isDue)
                Start();
        }

        _writing.Wait(s_flushPatience);
    }

    private void WriteSoon()
    {
        lock (_gate)
        {
            _isDue = true;
            Start();
        }
    }

    private void Start()
    {
        if (_isWriting)
            return;
        _isWriting = true;
        _writing = Task.Run(Write);
    }

    private void Write()
    {
        while (true)
        {
            lock (_gate)
                _isDue = false;
            var isSaved = _file.TrySave(Record.All);
            lock (_gate)
            {
                var changed = _isDue;
                _isDue |= !isSaved; // once more at the next change, and at the end
                _isWriting = isSaved && changed;
                if (!_isWriting)
                    return;
            }
        }
    }
}
