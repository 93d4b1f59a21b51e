using ImageCriShim.Relay.Hpack;

namespace ImageCriShim.Relay;

/// <summary>What becomes of a call whose request has arrived whole.</summary>
internal enum Verdict
{
    /// <summary>The runtime gets the body and the caller its answer, as if the call had never been taken over.</summary>
    Forward,

    /// <summary>The runtime gets the body; its answer is held until <see cref="EditedCall.Accepts"/> has seen it.</summary>
    Watch,

    /// <summary>The runtime's stream is reset and <see cref="EditedCall.Answer"/> answers.</summary>
    Answer,
}

/// <summary>
/// One call that is taken out of the relay. The relay collects its request, asks, and carries out; flow control, resets and
/// half-closed streams are the relay's. All but <see cref="Answer"/> runs under the connection's gate: it must not block.
/// </summary>
internal abstract class EditedCall
{
    /// <param name="body">The request's gRPC frames, whole. They stay valid and unchanged.</param>
    internal abstract Verdict OnRequest(ReadOnlyMemory<byte> body);

    /// <summary>For a watched call: whether the runtime's answer is the caller's.</summary>
    internal virtual bool Accepts(HeldAnswer answer) => true;

    /// <summary>
    /// Answers where neither forwarding nor the watched answer does. For a watched call it begins on the thread that passes the runtime's
    /// answers on, which it may hold for some milliseconds at most.
    /// </summary>
    /// <returns>Null: the watched answer after all.</returns>
    /// <param name="cancellation">The caller reset the stream or went away.</param>
    internal abstract Task<StreamAnswer?> Answer(CancellationToken cancellation);
}

/// <summary>Where a new call goes; the default is to be forwarded unread.</summary>
/// <param name="Call">Takes the call over.</param>
/// <param name="Path">Replaces <c>:path</c>; request headers of this connection are re-encoded from then on.</param>
internal readonly record struct CallRoute(EditedCall? Call, ReadOnlyMemory<byte> Path = default);

/// <summary>Asked once for each new call, under the connection's gate.</summary>
/// <param name="headers">In order, pseudo-header fields included; valid after the call as well.</param>
internal delegate CallRoute RouteCall(ReadOnlySpan<byte> path, IReadOnlyList<HeaderField> headers);
