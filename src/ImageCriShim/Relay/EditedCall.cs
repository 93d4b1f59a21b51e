using ImageCriShim.Relay.Hpack;

namespace ImageCriShim.Relay;

/// <summary>What becomes of a call whose request has arrived whole.</summary>
internal enum Verdict
{
    /// <summary>The runtime gets the body and the caller its answer, as if the call had never been taken over.</summary>
    Forward,

    /// <summary>The runtime gets what <see cref="EditedCall.Prepare"/> makes of the body; the rest is as with <see cref="Forward"/>.</summary>
    Prepare,

    /// <summary>The runtime gets the body; its answer is held until <see cref="EditedCall.OnAnswer"/> has seen it.</summary>
    Watch,

    /// <summary>The runtime gets the body; each message of its answer is sent on when <see cref="EditedCall.OnMessage"/> has seen it.</summary>
    WatchEach,

    /// <summary>The runtime's stream is reset and <see cref="EditedCall.Answer"/> answers.</summary>
    Answer,
}

/// <summary>
/// One call that is taken out of the relay. The relay collects its request, asks, and carries out; flow control, resets and
/// half-closed streams are the relay's. All but <see cref="Prepare"/>, <see cref="AskAhead"/> and <see cref="Answer"/> runs under the connection's gate: it
/// must not block.
/// </summary>
internal abstract class EditedCall
{
    /// <param name="body">The request's gRPC frames, whole. They stay valid and unchanged.</param>
    internal abstract Verdict OnRequest(ReadOnlyMemory<byte> body);

    /// <summary>What becomes of a call whose request cannot be read, or whose <see cref="OnRequest"/> throws.</summary>
    internal virtual Verdict IfUnread => Verdict.Forward;

    /// <summary>Whether the runtime must not hear of it: it is refused as soon as its headers are there.</summary>
    internal virtual bool IsRefused => false;

    /// <summary>
    /// What the caller gets where the request is not read: the call <see cref="IsRefused"/>, or too many calls are edited already to take this one
    /// over. Null: it is forwarded unread.
    /// </summary>
    internal virtual StreamAnswer? RefuseUnread() => null;

    /// <summary>The body that the runtime gets instead.</summary>
    /// <param name="cancellation">The caller reset the stream or went away.</param>
    internal virtual Task<ReadOnlyMemory<byte>> Prepare(CancellationToken cancellation) => throw new NotSupportedException();

    /// <summary>
    /// For a watched call that <see cref="AsksAhead"/>: the request is about to go on. Runs outside of the gate, on the thread that passes the
    /// caller's frames on, and must not wait.
    /// </summary>
    internal virtual void AskAhead()
    {
    }

    /// <summary>Whether <see cref="AskAhead"/> is to be called.</summary>
    internal virtual bool AsksAhead => false;

    /// <summary>Nothing more is asked of it: it was answered, or its caller went away.</summary>
    internal virtual void OnEnd()
    {
    }

    /// <summary>For a watched call: what becomes of the runtime's answer.</summary>
    internal virtual Reply OnAnswer(HeldAnswer answer) => Reply.AsItCame;

    /// <summary>For a call that is watched message by message.</summary>
    /// <param name="message">One gRPC frame of the runtime's answer.</param>
    /// <param name="encoding">Asks how it is compressed, if it is.</param>
    /// <returns>What the caller gets in its place.</returns>
    internal virtual ReadOnlyMemory<byte> OnMessage(ReadOnlyMemory<byte> message, Func<string?> encoding) => message;

    /// <summary>
    /// Answers where neither forwarding nor the watched answer does. For a watched call it begins on the thread that passes the runtime's
    /// answers on, which it may hold for some milliseconds at most.
    /// </summary>
    /// <returns>Null: the watched answer after all.</returns>
    /// <param name="cancellation">The caller reset the stream or went away.</param>
    internal abstract Task<StreamAnswer?> Answer(CancellationToken cancellation);
}

/// <summary>What the caller gets of a watched answer.</summary>
/// <param name="IsOurs">Nothing: <see cref="EditedCall.Answer"/> answers.</param>
/// <param name="Body">gRPC frames in place of the runtime's; null: its own.</param>
internal readonly record struct Reply(bool IsOurs, ReadOnlyMemory<byte>? Body)
{
    internal static readonly Reply AsItCame;

    internal static readonly Reply Ours = new(IsOurs: true, Body: null);

    internal static Reply With(ReadOnlyMemory<byte> body) => new(IsOurs: false, body);
}

/// <summary>Where a new call goes; the default is to be forwarded unread.</summary>
/// <param name="Call">Takes the call over.</param>
/// <param name="Path">Replaces <c>:path</c>; request headers of this connection are re-encoded from then on.</param>
/// <param name="IsStream">The call may go on for ever, such as a watch of events: one that has been silent for a while delays no stop.</param>
internal readonly record struct CallRoute(EditedCall? Call, ReadOnlyMemory<byte> Path = default, bool IsStream = false);

/// <summary>Asked once for each new call, under the connection's gate.</summary>
/// <param name="headers">In order, pseudo-header fields included. The list is used again for the next call, the fields stay valid.</param>
internal delegate CallRoute RouteCall(ReadOnlySpan<byte> path, IReadOnlyList<HeaderField> headers);

/// <summary>
/// Asked for each new connection when it has its own connection to the runtime, and again if the runtime ends meanwhile; on a thread that may
/// wait for the runtime.
/// </summary>
/// <param name="isWanted">Whether the caller is still there.</param>
internal delegate RouteCall BeginRouting(Func<bool> isWanted);
