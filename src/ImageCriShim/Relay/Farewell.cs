namespace ImageCriShim.Relay;

/// <summary>
/// How a caller is told to come back on a new connection without losing a call (RFC 9113 section 6.8): GOAWAY first with the highest
/// number, because calls may be on their way, and when a PING shows that the caller has seen it, with the last call that is taken. A caller
/// makes those behind it again elsewhere, as nobody has seen them. The connection's gate is held around every call.
/// </summary>
internal sealed class Farewell(FrameWriter toCaller)
{
    private const int Any = int.MaxValue;

    private bool _isSaid;
    private int _lastTaken = Any;

    /// <summary>The caller begins no more calls here.</summary>
    internal bool IsHeard => _lastTaken != Any;

    private static ReadOnlySpan<byte> Ping => "farewell"u8;

    internal void Say()
    {
        if (_isSaid)
            return;
        _isSaid = true;
        toCaller.Append(Frames.GoAway(Any, ErrorCode.NoError, Reason));
        toCaller.Append(Frames.Of(FrameType.Ping, FrameFlags.None, 0, Ping));
    }

    /// <param name="payload">Of a PING that the caller has answered.</param>
    /// <param name="lastStream">The newest call.</param>
    /// <returns>Whether the PING was ours.</returns>
    internal bool TryHear(ReadOnlySpan<byte> payload, int lastStream)
    {
        if (!_isSaid || IsHeard || !payload.SequenceEqual(Ping))
            return false;
        _lastTaken = lastStream;
        toCaller.Append(Frames.GoAway(lastStream, ErrorCode.NoError, Reason));
        return true;
    }

    /// <summary>A call that the caller has to make again, and does.</summary>
    internal bool IsTooLate(int stream) => stream > _lastTaken;

    private static string Reason => "image-cri-shim: stopping; come back on a new connection";
}
