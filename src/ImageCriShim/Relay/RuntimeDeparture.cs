using System.Buffers;
using System.Buffers.Binary;
using System.Net.Sockets;

namespace ImageCriShim.Relay;

/// <summary>
/// The runtime closes a connection on which we still answer calls. It sees no stream of these, so a graceful close (GOAWAY, RFC 9113
/// section 6.8) does not wait for them: the caller's connection outlives the runtime's until they are answered. The connection's gate is
/// held around every call but <see cref="SeeOff"/> and <see cref="OnCallerEnd"/>.
/// </summary>
internal sealed class RuntimeDeparture(RelayConnection connection, Socket caller)
{
    private const int Any = int.MaxValue;
    private const int RememberedPings = 16; // a caller has one or two under way

    /// <summary>A caller closes a connection that it was told to leave and that ends, at once.</summary>
    private static readonly TimeSpan s_leaving = TimeSpan.FromSeconds(1);

    private static readonly StreamAnswer s_lost =
        StreamAnswer.Error(GrpcCode.Unavailable, "image-cri-shim: the container runtime closed the connection before it answered");

    private readonly TaskCompletionSource _answered = new();
    private readonly TaskCompletionSource _callerHasEnded = new();
    private readonly Queue<ulong> _pings = []; // forwarded and not answered yet
    private int _lastTaken = Any;

    /// <summary>The runtime's connection has ended and the caller's goes on: the caller's frames go nowhere.</summary>
    internal bool IsGone { get; private set; }

    /// <summary>The runtime takes no more calls.</summary>
    internal bool IsAnnounced => _lastTaken != Any;

    /// <summary>
    /// Whether a PING of the caller is answered here. A grpc-go runtime closes a connection for PINGs while it sees no call
    /// (too_many_pings); where it sees one, or where there is none at all, the caller is to learn whether the runtime lives.
    /// </summary>
    internal bool AnswersPings => IsGone || (AreAnswersDue && connection.Calls.Count == connection.Taken.Answering);

    private bool AreAnswersDue => connection.Taken.Answering > 0 || connection.CallerLedger.IsWaiting;

    /// <summary>A call that the caller has to make again on another connection, and can: nobody has seen it.</summary>
    internal bool IsTooLate(int stream) => stream > _lastTaken;

    /// <summary>Of the calls up to this one, the last that is taken: a later GOAWAY never names more (RFC 9113 section 6.8).</summary>
    internal int LastOf(int stream) => Math.Min(stream, _lastTaken);

    /// <summary>The runtime names the last call that it takes; what came behind it is refused.</summary>
    internal void OnGoAway(int lastStream)
    {
        _lastTaken = Math.Min(_lastTaken, lastStream);
        foreach (var stream in connection.Calls.Streams.Where(IsTooLate).ToArray())
            Refuse(stream);
    }

    /// <summary>Tells the caller that nothing was done with a call (RFC 9113 section 8.7).</summary>
    internal void Refuse(int stream)
    {
        _ = connection.Taken.ForwardsCallerReset(stream); // as if the caller had given it up
        connection.Calls.End(stream, GrpcCode.Unavailable);
        connection.ToCaller.Append(Frames.RstStream(stream, ErrorCode.RefusedStream));
    }

    /// <summary>A PING of the caller is forwarded. If the runtime goes before it answers, it is answered here.</summary>
    internal void OnPing(ReadOnlySpan<byte> payload)
    {
        if (payload.Length == sizeof(ulong) && _pings.Count < RememberedPings)
            _pings.Enqueue(BinaryPrimitives.ReadUInt64BigEndian(payload));
    }

    internal void OnPingAck(ReadOnlySpan<byte> payload)
    {
        if (payload.Length == sizeof(ulong) && _pings.TryPeek(out var first) && first == BinaryPrimitives.ReadUInt64BigEndian(payload))
            _pings.Dequeue();
    }

    /// <summary>To be asked whenever an answer may have been given.</summary>
    internal void Settle()
    {
        if (IsGone && !AreAnswersDue)
            _answered.TrySetResult();
    }

    /// <summary>The caller waits for nothing any more.</summary>
    internal void OnCallerEnd()
    {
        _answered.TrySetResult();
        _callerHasEnded.TrySetResult();
    }

    /// <summary>
    /// The runtime has ended its side: waits until every answer of ours is given, ends our side towards the caller, and waits for its end.
    /// </summary>
    /// <returns>False: the caller stays.</returns>
    /// <exception cref="SocketException">The caller is gone.</exception>
    internal bool SeeOff()
    {
        lock (connection.Gate)
        {
            if (AreAnswersDue)
                Begin();
            else
                _answered.TrySetResult();
            if (connection.ToCaller.HoldsBack)
                connection.ToCaller.OpenWith(new SettingsFrame().Encode()); // the runtime went before it had sent any
        }

        connection.ToCaller.Send([]);
        _answered.Task.Wait();
        connection.ToCaller.Send([]);
        caller.Shutdown(SocketShutdown.Send);
        return _callerHasEnded.Task.Wait(s_leaving);
    }

    private void Begin()
    {
        IsGone = true;
        connection.ToRuntime.Discard();
        foreach (var stream in connection.Calls.Streams.ToArray())
            EndLost(stream);
        connection.RuntimeLedger.DropOurs();
        if (!IsTooLate(connection.LastStream))
            SayGoAway();
        AnswerPings();
        Settle(); // what was waited for may be what has ended
    }

    private void SayGoAway()
    {
        if (_lastTaken == connection.LastStream)
            return; // the runtime has said so
        _lastTaken = connection.LastStream;
        const string reason = "image-cri-shim: the container runtime closed its connection; come back on a new one";
        connection.ToCaller.Append(Frames.GoAway(_lastTaken, ErrorCode.NoError, reason));
    }

    private void AnswerPings()
    {
        Span<byte> payload = stackalloc byte[sizeof(ulong)];
        while (_pings.TryDequeue(out var ping))
        {
            BinaryPrimitives.WriteUInt64BigEndian(payload, ping);
            connection.ToCaller.Append(Frames.Of(FrameType.Ping, FrameFlags.Ack, 0, payload));
        }
    }

    private void EndLost(int stream)
    {
        if (!connection.Taken.TryGet(stream, out var taken))
            EndForwarded(stream);
        else if (taken.Phase is TakenPhase.Collecting or TakenPhase.Preparing)
            Refuse(stream); // the runtime has no request yet
        else if (taken.Phase is not TakenPhase.Answering)
            connection.Taken.OnAnswer(taken, s_lost);
    }

    private void EndForwarded(int stream)
    {
        var trailers = connection.Calls.HasBegun(stream) ? s_lost.EncodeTrailersAlone() : s_lost.EncodeTrailers();
        var frames = new ArrayBufferWriter<byte>();
        Frames.WriteHeaders(frames, stream, trailers.Span, endStream: true);
        frames.Write(Frames.RstStream(stream, ErrorCode.NoError)); // it may be sending still (RFC 9113 section 8.1)
        connection.Calls.End(stream, s_lost.Code);
        connection.CallerLedger.Forward(FrameHeader.Read(frames.WrittenSpan), frames.WrittenSpan);
    }
}
