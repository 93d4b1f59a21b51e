namespace ImageCriShim.Relay;

/// <summary>Counts what edited calls hold, over all connections, against <see cref="RelayLimits.HeldBytes"/>. Thread-safe.</summary>
internal sealed class HeldBytes(long limit)
{
    private long _held;

    internal long Current => Volatile.Read(ref _held);

    internal bool TryReserve(int octets)
    {
        if (Interlocked.Add(ref _held, octets) <= limit)
            return true;
        Interlocked.Add(ref _held, -octets);
        return false;
    }

    internal void Release(int octets) => Interlocked.Add(ref _held, -octets);
}
