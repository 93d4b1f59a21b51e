namespace ImageCriShim.Relay;

internal enum OutgoingKind
{
    /// <summary>Whole frames that no window holds back.</summary>
    Frames,

    /// <summary>Data without frame headers.</summary>
    Data,
}

internal readonly record struct OutgoingPart(ReadOnlyMemory<byte> Octets, OutgoingKind Kind, bool EndsStream);

/// <summary>What waits to be sent on one stream, in order.</summary>
internal sealed class OutgoingStream
{
    /// <summary>True where we answer on this stream; false where forwarded frames of it are parked.</summary>
    internal required bool IsOurs { get; init; }

    /// <summary>Room in octets; below 0 after the receiver lowered its initial window (RFC 9113 section 6.9.2).</summary>
    internal long Window { get; set; }

    /// <summary>Of <see cref="FlowLedger.WhenSent"/>.</summary>
    internal Action? Sent { get; set; }

    /// <summary>In order; the head is replaced by its rest where only a part of it could be sent.</summary>
    internal LinkedList<OutgoingPart> Parts { get; } = [];

    internal void TellSent()
    {
        var tell = Sent;
        Sent = null;
        tell?.Invoke();
    }
}
