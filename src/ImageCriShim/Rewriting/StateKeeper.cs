namespace ImageCriShim.Rewriting;

/// <summary>
/// Keeps something on the disk, behind everybody's back: changes that come while it is being written are written together, next.
/// </summary>
/// <param name="current">All of it, as it is now.</param>
/// <param name="isRead">What was kept before has been read: nothing is written in its place until then.</param>
internal sealed class StateKeeper<T>(StateFile<T> file, Func<IReadOnlyList<T>> current, Task isRead)
{
    private readonly Lock _gate = new();
    private Task _writing = Task.CompletedTask;
    private bool _isDue; // something is not on the disk yet
    private bool _isWriting;
    private bool _isSaved = true; // what was written last
    private bool _isAskedAgain; // while a write is under way that may fail
    private bool _isFrozen; // another process is about to read the file, and to write it
    private bool _isLastDue; // a change from before it was frozen, while a write was under way: one more is to follow
    private volatile bool _isOthers; // another process writes the file by now, whatever is still under way here

    /// <summary>There was a change. Never blocks.</summary>
    public void WriteSoon()
    {
        lock (_gate)
        {
            _isDue = true;
            Start();
        }
    }

    /// <summary>Writes what could not be written, if anything.</summary>
    public void Retry()
    {
        lock (_gate)
        {
            _isAskedAgain = _isWriting;
            if (_isDue)
                Start();
        }
    }

    /// <summary>Ends when what is known is on the disk, where the disk takes it.</summary>
    public Task Flush()
    {
        lock (_gate)
        {
            if (_isDue)
                Start();
            return _writing;
        }
    }

    /// <summary>Writes what is known, and nothing after that until <see cref="Resume"/>: another process is about to read the file, and to write it.</summary>
    /// <returns>Ends when the disk has taken it, with true, or has refused it.</returns>
    public Task<bool> Freeze()
    {
        lock (_gate)
        {
            _isLastDue = _isWriting && _isDue;
            if (_isDue)
                Start();
            _isFrozen = true;
            return _writing.ContinueWith(_ => IsSaved(), TaskScheduler.Default);
        }
    }

    /// <summary>A write that is still under way, on a disk that hangs, replaces nothing when it ends: the file is another process' now.</summary>
    public void LeaveToOthers() => _isOthers = true;

    /// <summary>Writes again.</summary>
    public void Resume()
    {
        lock (_gate)
            _isFrozen = false;
        _isOthers = false;
        WriteSoon();
    }

    private bool IsSaved()
    {
        lock (_gate)
            return _isSaved;
    }

    private void Start()
    {
        if (_isWriting || _isFrozen)
            return;
        _isWriting = true;
        _writing = isRead.ContinueWith(_ => Write(), TaskScheduler.Default);
    }

    private void Write()
    {
        while (true)
        {
            lock (_gate)
                _isDue = false;
            var isSaved = file.TrySave(current(), () => !_isOthers);
            lock (_gate)
            {
                var isNext = _isFrozen ? _isLastDue : isSaved ? _isDue : _isAskedAgain;
                _isSaved = isSaved;
                _isDue |= !isSaved; // once more at the next change, and at the end
                _isWriting = isNext;
                _isAskedAgain = _isLastDue = false;
                if (!_isWriting)
                    return;
            }
        }
    }
}
