using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace ImageCriShim.Relay;

internal enum TakenPhase
{
    /// <summary>The request is arriving; the runtime has its headers and waits.</summary>
    Collecting,

    /// <summary>The request is being edited; the runtime still waits.</summary>
    Preparing,

    /// <summary>The runtime has the request; its answer is held.</summary>
    Watching,

    /// <summary>The runtime has the request; its answer is sent on message by message.</summary>
    WatchingEach,

    /// <summary>An answer of ours is being made.</summary>
    Answering,
}

/// <summary>A stream whose call is edited. Guarded by the connection's gate.</summary>
[SuppressMessage("Design", "CA1001", Justification = "The source has no timer and no handle, and tokens of it outlive the stream.")]
internal sealed class TakenStream(int id, EditedCall call)
{
    private CancellationTokenSource? _cancellation; // most calls are answered before anybody asks for it

    internal int Id { get; } = id;

    internal EditedCall Call { get; } = call;

    internal TakenPhase Phase { get; set; }

    internal ArrayBufferWriter<byte> Request { get; } = new();

    internal HeldAnswer Answer { get; } = new();

    /// <summary>In place of <see cref="Answer"/> where messages are edited one by one.</summary>
    internal EditedMessages? Messages { get; set; }

    /// <summary>Bytes counted against <see cref="RelayLimits.HeldBytes"/>.</summary>
    internal int Held { get; set; }

    /// <summary>Towards the caller, for the request.</summary>
    internal StreamCredit RequestCredit { get; } = new();

    /// <summary>Towards the runtime, for its answer.</summary>
    internal StreamCredit AnswerCredit { get; } = new();

    /// <summary>The runtime's answer is the caller's, whatever it is; it is held because it began before the request had ended.</summary>
    internal bool IsForwarded { get; set; }

    internal bool CallerEnded { get; set; }

    internal bool RuntimeEnded { get; set; }

    /// <summary>How the runtime's answer ended, if it has.</summary>
    internal GrpcCode Code { get; set; }

    /// <summary>The caller went away.</summary>
    internal CancellationToken Cancellation => Source.Token;

    private CancellationTokenSource Source => LazyInitializer.EnsureInitialized(ref _cancellation, static () => new CancellationTokenSource());

    /// <summary>The caller is gone: who works on the answer is told, on another thread, because the gate is held.</summary>
    internal void Cancel() => _ = Source.CancelAsync();
}
