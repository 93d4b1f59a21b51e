namespace ImageCriShim.Registries;

/// <summary>
/// Does work once for all who want it at the same time (single flight). It ends when all of them have gone away, and none of
/// them can end it for the others.
/// </summary>
internal sealed class SharedWork<TKey, TResult>
    where TKey : notnull
{
    private readonly Dictionary<TKey, Flight> _flights = [];
    private readonly Lock _gate = new();

    /// <param name="key">What makes two wishes the same.</param>
    /// <param name="work">Done by the first who comes; its token is cancelled when the last has gone.</param>
    /// <param name="cancellation">This caller goes away.</param>
    public async Task<TResult> Join(TKey key, Func<CancellationToken, Task<TResult>> work, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var flight = Board(key, out var isFirst);
        if (isFirst)
            _ = Fly(key, flight, work);
        try
        {
            return await flight.Landed.Task.WaitAsync(cancellation);
        }
        finally
        {
            Leave(key, flight);
        }
    }

    private Flight Board(TKey key, out bool isFirst)
    {
        lock (_gate)
        {
            isFirst = !_flights.TryGetValue(key, out var flight);
            if (flight is null)
                _flights.Add(key, flight = new Flight());
            flight.Passengers++;
            return flight;
        }
    }

    private void Leave(TKey key, Flight flight)
    {
        lock (_gate)
        {
            if (--flight.Passengers > 0 || flight.Landed.Task.IsCompleted)
                return;
            Remove(key, flight); // who comes from now on starts afresh
        }
        flight.Abandoned.Cancel();
    }

    /// <summary>The work's outcome, whichever, is the passengers': nothing is lost here.</summary>
    private async Task Fly(TKey key, Flight flight, Func<CancellationToken, Task<TResult>> work)
    {
        var task = work(flight.Abandoned.Token);
        await Task.WhenAny(task);
        Land(key, flight);
        flight.Landed.TrySetFromTask(task);
    }

    private void Land(TKey key, Flight flight)
    {
        lock (_gate)
            Remove(key, flight);
    }

    private void Remove(TKey key, Flight flight)
    {
        if (_flights.TryGetValue(key, out var current) && current == flight)
            _flights.Remove(key);
    }

    private sealed class Flight
    {
        public TaskCompletionSource<TResult> Landed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        public CancellationTokenSource Abandoned { get; } = new();
        public int Passengers { get; set; }
    }
}
