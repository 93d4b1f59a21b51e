using System.Diagnostics.CodeAnalysis;

namespace ImageCriShim.Registries;

/// <summary>
/// Room for so many at once. Who comes when it is full waits in line, for a time and behind so many others, and is told where that is in
/// vain: nothing waits for ever, and no line grows without end.
/// </summary>
/// <param name="count">How many have room.</param>
/// <param name="line">How many may wait.</param>
/// <param name="time">Measures how long they wait.</param>
[SuppressMessage("Design", "CA1001", Justification = "The semaphore has no handle.")]
internal sealed class Places(int count, int line, TimeProvider time)
{
    private readonly SemaphoreSlim _free = new(count);
    private int _waiting;

    /// <summary>How many have room now.</summary>
    public int Taken => count - _free.CurrentCount;

    /// <returns>To be disposed of when it is not needed any more; null: there is no room now.</returns>
    public IDisposable? TryEnter() => _free.Wait(0) ? new Place(_free) : null;

    /// <returns>As above; null: none became free in time, or too many wait already.</returns>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was.</exception>
    public ValueTask<IDisposable?> Enter(TimeSpan patience, CancellationToken cancellation) =>
        TryEnter() is { } place ? new(place) : new(WaitInLine(patience, cancellation));

    private async Task<IDisposable?> WaitInLine(TimeSpan patience, CancellationToken cancellation)
    {
        using var limit = new CancellationTokenSource(patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, limit.Token);
        try
        {
            if (Interlocked.Increment(ref _waiting) > line)
                return null;
            await _free.WaitAsync(either.Token);
            return new Place(_free);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return null;
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    private sealed class Place(SemaphoreSlim free) : IDisposable
    {
        private int _isGivenBack;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isGivenBack, 1) == 0)
                free.Release();
        }
    }
}
