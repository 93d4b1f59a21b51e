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

    /// <summary>Counts octets that are to be held for an edited call.</summary>
    /// <param name="before">What is held of the same message already.</param>
    /// <returns>Null, or why they may not be.</returns>
    internal StreamAnswer? Hold(TakenStream stream, int before, int more)
    {
        const int prefix = 5; // gRPC's own, before each message
        var error = before + more > RelayLimits.MessageBytes + prefix
            ? $"image-cri-shim: the message is larger than {RelayLimits.MessageBytes} bytes, the limit for calls that it edits"
            : !TryReserve(more)
                ? $"image-cri-shim: more than {RelayLimits.HeldBytes} bytes of edited calls are held at once"
                : null;
        if (error is not null)
            return StreamAnswer.Error(GrpcCode.ResourceExhausted, error);
        stream.Held += more;
        return null;
    }

    /// <summary>Counts an answer of ours, if it has a body, in place of all that is held.</summary>
    internal void HoldInstead(TakenStream stream, ReadOnlyMemory<byte>? answer)
    {
        if (answer is not { } body)
            return;
        Reserve(body.Length - stream.Held);
        stream.Held = body.Length;
    }

    /// <summary>Counts what we have made of what is held already, whatever the limit.</summary>
    internal void HoldMade(TakenStream stream, ReadOnlyMemory<byte>? made)
    {
        var octets = made?.Length ?? 0;
        Reserve(octets);
        stream.Held += octets;
    }
}
