namespace ImageCriShim.Cri;

/// <summary>
/// Connections to the runtime that calls of our own have left in order. Those that have been waited for are slower, so a new one is
/// better; they are kept for when none can be made, as while the runtime stops: who stands directly on it goes on then.
/// </summary>
internal sealed class IdleConnections : IDisposable
{
    private const int MaxIdle = 32; // more pods do not start at once; an idle connection costs a socket and 32 KiB
    internal const int MaxSpare = 8; // as many pulls go on through a restart

    private readonly Stack<RuntimeConnection> _fast = [];
    private readonly Stack<RuntimeConnection> _spare = [];
    private readonly Lock _gate = new();
    private bool _isClosed;

    /// <summary>One that may have been closed by the runtime meanwhile.</summary>
    internal RuntimeConnection? TakeAny() => Take(_fast);

    internal RuntimeConnection? TakeUsable() => TakeUsable(_fast);

    /// <summary>For want of a new one.</summary>
    internal RuntimeConnection? TakeSpare() => TakeUsable(_spare);

    /// <summary>After its call has ended; kept for the next where it is in order.</summary>
    internal void PutBack(RuntimeConnection connection)
    {
        if (connection.IsInOrder)
        {
            var (kept, most) = connection.IsSlow ? (_spare, MaxSpare) : (_fast, MaxIdle);
            lock (_gate)
            {
                if (!_isClosed && kept.Count < most)
                {
                    kept.Push(connection);
                    return;
                }
            }
        }

        connection.Dispose();
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isClosed = true;
            foreach (var connection in _fast.Concat(_spare))
                connection.Dispose();
            _fast.Clear();
            _spare.Clear();
        }
    }

    private RuntimeConnection? TakeUsable(Stack<RuntimeConnection> from)
    {
        while (Take(from) is { } connection)
        {
            if (connection.IsUsable())
                return connection;
            connection.Dispose();
        }

        return null;
    }

    private RuntimeConnection? Take(Stack<RuntimeConnection> from)
    {
        lock (_gate)
            return from.TryPop(out var connection) ? connection : null;
    }
}
