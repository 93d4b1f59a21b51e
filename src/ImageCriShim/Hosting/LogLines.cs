using System.Diagnostics;
using ImageCriShim.Concurrency;

namespace ImageCriShim.Hosting;

/// <summary>
/// Lines on their way to standard error. Who logs never waits for who reads: journald may have stopped, a disk hang, a terminal be held. A
/// thread of its own is the only way that holds for all of them, since poll(2) says of files and terminals that they take something when they
/// do not. It begins with the first line and stays: where no thread can be started any more, that must still be said.
/// </summary>
/// <param name="output">Its writes may block.</param>
/// <param name="tellLost">Is given how many lines found no room, and <see cref="Add"/>s a line about it.</param>
internal sealed class LogLines(TextWriter output, Action<long> tellLost) : IDisposable
{
    /// <summary>Characters that wait while others are being written: some thousand lines, which is minutes of a busy node.</summary>
    internal const int MaxWaiting = 1024 * 1024;

    private const int StackBytes = 128 * 1024; // a line's way through an encoder to write(2)

    private static readonly TimeSpan s_atEnd = TimeSpan.FromSeconds(2); // who has read nothing by then holds up a restart

    private readonly object _gate = new(); // a Lock has no Wait
    private List<string> _waiting = [];
    private int _characters;
    private long _lost;
    private Thread? _writer;
    private bool _isWriting;

    /// <summary>Never blocks.</summary>
    internal void Add(string line)
    {
        if (Thread.CurrentThread == _writer)
        {
            Put(line); // about lost lines: in their place
            return;
        }

        lock (_gate)
        {
            // One line was lost, so are those behind it, until there is room for more than a short one: what is missing is in one place.
            if (_lost > 0 || _characters + line.Length > MaxWaiting)
            {
                _lost++;
                return;
            }

            _waiting.Add(line);
            _characters += line.Length;
            if (_writer is not null || TryBegin())
                Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Waits until everything is written, for as long as that may take at an end.</summary>
    internal void Flush()
    {
        var begin = Stopwatch.GetTimestamp();
        lock (_gate)
        {
            while (_isWriting || _waiting.Count > 0)
            {
                var left = s_atEnd - Stopwatch.GetElapsedTime(begin);
                if (left <= TimeSpan.Zero || (_writer is null && !TryBegin()))
                    return;
                Monitor.Wait(_gate, left);
            }
        }
    }

    public void Dispose() => Flush(); // the thread ends with the process: others may still have something to say

    private bool TryBegin()
    {
        try
        {
            _writer = Background.StartThread("log", StackBytes, Write);
            return true;
        }
        catch (Exception e) when (e is OutOfMemoryException or ThreadStartException)
        {
            return false; // the next line tries again
        }
    }

    private void Write()
    {
        while (true)
        {
            var (lines, lost) = Take();
            foreach (var line in lines)
                Put(line);
            if (lost > 0)
                tellLost(lost);
        }
    }

    private (List<string> Lines, long Lost) Take()
    {
        lock (_gate)
        {
            _isWriting = false;
            Monitor.PulseAll(_gate); // for Flush
            while (_waiting.Count == 0)
                Monitor.Wait(_gate);
            var taken = (_waiting, _lost);
            (_waiting, _characters, _lost, _isWriting) = ([], 0, 0, true);
            return taken;
        }
    }

    private void Put(string line)
    {
        try
        {
            output.WriteLine(line);
        }
        catch (IOException)
        {
            // Its disk is full, say: who serves callers does not end for want of a log.
        }
    }
}
