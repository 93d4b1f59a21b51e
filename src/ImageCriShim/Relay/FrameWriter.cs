using System.Buffers;
using System.Net.Sockets;
using ImageCriShim.Concurrency;

namespace ImageCriShim.Relay;

/// <summary>
/// The sending side of one peer. The pump of this direction sends; everybody else appends whole frames and lets somebody else
/// send them, because a pump that writes to the peer it reads from would let both peers throttle and all four sides deadlock.
/// </summary>
/// <param name="socket">Connected and blocking.</param>
/// <param name="held">Nothing leaves before <see cref="OpenWith"/>.</param>
internal sealed class FrameWriter(Socket socket, bool held)
{
    // What a socket that is writable at all takes without waiting: its send buffer is 200 KiB, and writable means most of it is free.
    private const int MaxUnwaited = 32 * 1024;

    private readonly Lock _sending = new(); // held during I/O: one sender at a time
    private readonly Lock _appending = new(); // never held during I/O
    private ArrayBufferWriter<byte> _pending = new(512);
    private ArrayBufferWriter<byte> _spare = new(512);
    private bool _flushing; // asked for and not yet at its end
    private bool _handedOver; // whoever sends is to see to that end
    private bool _held = held;
    private volatile bool _discards;

    /// <summary>Whether frames wait for <see cref="OpenWith"/>.</summary>
    internal bool HoldsBack
    {
        get
        {
            lock (_appending)
                return _held && _pending.WrittenCount > 0;
        }
    }

    /// <summary>
    /// Lets frames leave, this one first. Until then nothing does: the first thing that a caller sees must be the runtime's
    /// SETTINGS (RFC 9113 section 3.4).
    /// </summary>
    internal void OpenWith(ReadOnlySpan<byte> first)
    {
        lock (_appending)
        {
            var behind = _pending.WrittenSpan.ToArray();
            _pending.ResetWrittenCount();
            _pending.Write(first);
            _pending.Write(behind);
            _held = false;
        }
    }

    /// <summary>
    /// The peer does not read any more: what is left for it, and what still comes, goes nowhere. What it has said can still be read.
    /// </summary>
    internal void Discard()
    {
        lock (_appending)
        {
            _discards = true;
            _pending.ResetWrittenCount();
        }

        socket.ShutDown();
    }

    /// <summary>Puts whole frames behind everything that was appended before. Never blocks.</summary>
    /// <exception cref="Http2ProtocolException">The peer does not read and too much is waiting for it.</exception>
    internal void Append(ReadOnlySpan<byte> frames)
    {
        lock (_appending)
        {
            if (_discards)
                return;
            CheckRoom(frames.Length);
            _pending.Write(frames);
        }
    }

    /// <summary>One frame in two pieces, as <see cref="Append(ReadOnlySpan{byte})"/>.</summary>
    internal void Append(ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload)
    {
        lock (_appending)
        {
            if (_discards)
                return;
            CheckRoom(header.Length + payload.Length);
            _pending.Write(header);
            _pending.Write(payload);
        }
    }

    /// <summary>Sends what was appended, then <paramref name="frames"/>. Blocks while the peer does not read: for the pump of this direction only.</summary>
    internal void Send(ReadOnlySpan<byte> frames)
    {
        do
        {
            lock (_sending)
            {
                SendPending();
                while (!frames.IsEmpty && !_discards)
                    frames = frames[socket.Send(frames)..];
            }
        }
        while (TakesOver());
    }

    /// <summary>As <see cref="Send"/>, but gives up where another thread is still waiting for the peer to read.</summary>
    internal void TrySend(ReadOnlySpan<byte> frames, TimeSpan patience)
    {
        if (!_sending.TryEnter(patience))
            return;
        try
        {
            Send(frames);
        }
        finally
        {
            _sending.Exit();
        }
    }

    /// <summary>Has what was appended sent by a thread that is free to wait. Never blocks, and does nothing that takes time.</summary>
    internal void FlushSoon()
    {
        if (BeginsFlush())
            Background.Queue("sending frames", this, static writer => writer.Flush());
    }

    /// <summary>The same, but sends at once where that needs no waiting. Not for the pump that reads from this peer.</summary>
    internal void FlushHere()
    {
        if (BeginsFlush())
            Flush();
    }

    private bool BeginsFlush()
    {
        lock (_appending)
        {
            if (_flushing || _held || _pending.WrittenCount == 0)
                return false;
            return _flushing = true;
        }
    }

    // Threads of the pool are few: a peer that does not read must not keep one from everybody else.
    private void Flush()
    {
        Volatile.Write(ref _handedOver, true);
        if (!_sending.TryEnter())
            return; // who is sending looks at this afterwards
        try
        {
            if (!CanSendAtOnce())
            {
                RelayThreads.Start(FlushToEnd);
                return;
            }
        }
        finally
        {
            _sending.Exit();
        }

        FlushToEnd();
    }

    private bool CanSendAtOnce()
    {
        try
        {
            return PendingBytes <= MaxUnwaited && socket.Poll(0, SelectMode.SelectWrite);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return true; // sending fails at once
        }
    }

    private void FlushToEnd()
    {
        try
        {
            Send([]);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The pump that reads from this peer sees the same end and tells of it.
        }
    }

    // What was appended since belongs to the flush as well: nobody else was asked.
    private bool TakesOver()
    {
        if (!Interlocked.Exchange(ref _handedOver, false) || TryEndFlush())
            return false;
        Volatile.Write(ref _handedOver, true);
        return true;
    }

    private bool TryEndFlush()
    {
        lock (_appending)
        {
            _flushing = _pending.WrittenCount > 0;
            return !_flushing;
        }
    }

    private int PendingBytes
    {
        get
        {
            lock (_appending)
                return _pending.WrittenCount;
        }
    }

    private void SendPending()
    {
        ArrayBufferWriter<byte> full;
        lock (_appending)
        {
            if (_held || _pending.WrittenCount == 0)
                return;
            full = _pending;
            (_pending, _spare) = (_spare, full);
        }

        for (var rest = full.WrittenSpan; !rest.IsEmpty;)
            rest = rest[socket.Send(rest)..];
        Recycle(full);
    }

    // Under _sending, so the spare is nobody else's.
    private void Recycle(ArrayBufferWriter<byte> sent)
    {
        const int keep = 64 * 1024; // a large answer is rare; its buffer need not stay
        if (sent.Capacity > keep)
            _spare = new ArrayBufferWriter<byte>(512);
        else
            sent.ResetWrittenCount();
    }

    private void CheckRoom(int more)
    {
        if (_pending.WrittenCount + more > RelayLimits.PendingBytes)
            throw new Http2ProtocolException(ErrorCode.EnhanceYourCalm, "a peer does not read what it asked for");
    }
}
