namespace ImageCriShim.Relay;

/// <summary>Counts what edited calls hold, over all connections, against <see cref="RelayLimits.HeldBytes"/>. Thread-safe.</summary>
internal sealed class HeldBytes(long limit)
{
    private long _held;

    internal long Current => Volatile.Read(ref _held);

    /// <returns>False where it would be above the limit: nothing is counted then.</returns>
    internal bool TryReserve(int octets)
    {
        if (Interlocked.Add(ref _held, octets) <= limit || octets == 0)
            return true;
        Interlocked.Add(ref _held, -octets);
        return false;
    }

    /// <summary>Counts what is there already, whatever the limit: the next ones have to wait for it.</summary>
    internal void Reserve(int octets) => Interlocked.Add(ref _held, octets);

    internal void Release(int octets) => Interlocked.Add(ref _held, -octets);
}
