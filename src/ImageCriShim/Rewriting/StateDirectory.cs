using Microsoft.Extensions.Logging;

namespace ImageCriShim.Rewriting;

/// <summary>
/// Where the state lies. That it cannot be used is said once, however many files are in it, and then as often as it is asked for; that it can
/// again is said too.
/// </summary>
internal sealed class StateDirectory(string path, ILogger log)
{
    private const int Fine = 0;
    private const int Failing = 1; // and that has been said
    private const int FailingUnsaid = 2;

    private int _state;
    private int _isStrangerTold;

    public string Path { get; } = path;

    /// <summary>What was written last is on the disk.</summary>
    public bool IsFine => Volatile.Read(ref _state) == Fine;

    public void Fails(Exception e)
    {
        if (Interlocked.Exchange(ref _state, Failing) != Failing)
            Log.StateNotKept(log, Path, Why(e));
    }

    /// <summary>Makes it where it is missing, and looks who may write there.</summary>
    /// <exception cref="IOException"/>
    /// <exception cref="UnauthorizedAccessException"/>
    public void Prepare()
    {
        Directory.CreateDirectory(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        if (StateAccess.FindStranger(Path) is { } stranger && Interlocked.Exchange(ref _isStrangerTold, 1) == 0)
            Log.StateOpenToOthers(log, Path, stranger);
    }

    public void Works()
    {
        if (Interlocked.Exchange(ref _state, Fine) != Fine)
            Log.StateIsKeptAgain(log, Path);
    }

    /// <summary>The next failure is said although it is not the first.</summary>
    /// <returns>False where there is none.</returns>
    public bool ForgetThatItWasSaid() => Interlocked.CompareExchange(ref _state, FailingUnsaid, Failing) == Failing;

    /// <summary>Puts the names in it onto the disk.</summary>
    public void Persist() => LibC.PersistDirectory(Path);

    private string Why(Exception e) => e switch
    {
        { HResult: 28 or 122 } => "the disk is full, or this process's share of it", // ENOSPC, EDQUOT
        { HResult: 30 } => "its file system is read-only", // EROFS
        _ when Descriptors.AreExhausted(e) => Descriptors.Exhausted,
        _ when File.Exists(Path) => "it is a file; name a directory (image)",
        UnauthorizedAccessException => "this process may not write there",
        _ => "the disk is broken, or the directory was removed",
    };
}
