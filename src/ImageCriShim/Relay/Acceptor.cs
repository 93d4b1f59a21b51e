using System.Net.Sockets;

namespace ImageCriShim.Relay;

/// <summary>
/// Takes callers off a listening socket, and lets go of it without hurting it. A thread that waits in accept(2) could only be woken by
/// shutting the socket down, which is what .NET does when it is disposed of; but systemd holds the same socket for whoever comes after us.
/// </summary>
internal sealed class Acceptor : IDisposable
{
    private static readonly TimeSpan s_pausing = TimeSpan.FromMilliseconds(500); // refusing a caller for lack of threads takes half of it

    private readonly Socket _listener;
    private readonly Bell _bell = new();
    private readonly Lock _accepting = new(); // the socket is never closed while it is in accept(2)
    private readonly Lock _asking = new();
    private readonly ManualResetEventSlim _isAnswered = new();
    private volatile bool _isPaused;
    private bool _isStopped;

    /// <param name="listener">Is this object's from now on.</param>
    internal Acceptor(Socket listener)
    {
        const int nonBlocking = 0x800; // O_NONBLOCK
        _listener = listener;
        // Behind .NET's back, which would make accepted sockets like it. Whoever else holds the socket may be faster at a caller.
        LibC.SetStatusFlags((int)listener.Handle, nonBlocking);
    }

    /// <summary>Of the listening socket, for another process.</summary>
    internal int Descriptor => (int)_listener.Handle;

    /// <summary>Waits for the next caller.</summary>
    /// <exception cref="SocketException"/>
    /// <exception cref="ObjectDisposedException">It was told to stop.</exception>
    internal Socket Accept()
    {
        while (true)
        {
            var (isRung, isCalled) = _isPaused ? (_bell.Wait(), false) : _bell.WaitWith(_listener);
            lock (_accepting)
            {
                ObjectDisposedException.ThrowIf(_isStopped, this);
                if (isRung)
                    Answer();
                if (isCalled && !_isPaused && TryAccept() is { } caller)
                    return caller;
            }
        }
    }

    /// <summary>
    /// Accepts no more until <see cref="Resume"/>, from the moment that this returns; what was accepted before has been counted then. Callers wait in the
    /// socket.
    /// </summary>
    internal void Pause()
    {
        _isPaused = true;
        IsAccepting(s_pausing);
    }

    /// <summary>Accepts again, first of all the callers that have waited.</summary>
    internal void Resume()
    {
        _isPaused = false;
        _bell.Ring();
    }

    /// <summary>A caller who is there already, if there is one.</summary>
    /// <exception cref="SocketException"/>
    /// <exception cref="ObjectDisposedException">It was told to stop.</exception>
    internal Socket? AcceptWaiting()
    {
        lock (_accepting)
        {
            ObjectDisposedException.ThrowIf(_isStopped, this);
            return TryAccept();
        }
    }

    /// <summary>Whether the thread that accepts is there and has time: it is asked, not assumed.</summary>
    internal bool IsAccepting(TimeSpan patience)
    {
        lock (_asking)
        {
            _isAnswered.Reset();
            _bell.Ring();
            return _isAnswered.Wait(patience);
        }
    }

    /// <summary>Accepts no more. Callers that wait are those of others who hold the socket; where nobody does they are refused.</summary>
    public void Dispose()
    {
        lock (_accepting)
        {
            _isStopped = true;
            _listener.Dispose();
        }

        _bell.Ring(); // it stays: the thread may still be looking at it
    }

    private void Answer()
    {
        _bell.Silence();
        _isAnswered.Set();
    }

    private Socket? TryAccept()
    {
        try
        {
            var caller = _listener.Accept();
            if (!caller.Blocking)
                caller.Blocking = true; // .NET gives it the mode of a listener of which it knows that it does not block
            return caller;
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock)
        {
            return null;
        }
    }
}
