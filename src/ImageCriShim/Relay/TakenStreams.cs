using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using ImageCriShim.Relay.Hpack;

namespace ImageCriShim.Relay;

/// <summary>
/// The edited calls of one connection and what happens to each: its request is collected, then passed on, watched or answered.
/// The connection's gate is held around every call; nothing here blocks.
/// </summary>
internal sealed class TakenStreams(RelayConnection connection, HeldBytes heldBytes)
{
    private readonly Dictionary<int, TakenStream> _streams = [];
    private readonly Queue<TakenStream> _refused = [];
    private readonly HashSet<int> _answered = [];
    private readonly Queue<int> _answeredInOrder = [];

    private FlowLedger CallerLedger => connection.CallerLedger;

    private FlowLedger RuntimeLedger => connection.RuntimeLedger;

    /// <summary>Nothing but forwarded streams: the frames of most connections need no look-up at all.</summary>
    internal bool IsEmpty => _streams.Count == 0 && _answered.Count == 0;

    internal bool TryGet(int id, [NotNullWhen(true)] out TakenStream? stream) => _streams.TryGetValue(id, out stream);

    /// <summary>Answered by us a moment ago: what either side still says of it is dropped.</summary>
    internal bool IsAnswered(int id) => _answered.Contains(id);

    /// <returns>False at the bound: the call is forwarded as given.</returns>
    internal bool TryAdd(int id, EditedCall call)
    {
        if (_streams.Count >= RelayLimits.TakenStreams)
            return false;
        _streams.Add(id, new TakenStream(id, call));
        CallerLedger.Own(id);
        RuntimeLedger.Own(id);
        return true;
    }

    // --- what the caller sends -------------------------------------------------------------------------------------------

    internal void Collect(TakenStream stream, ReadOnlySpan<byte> data, bool endsStream)
    {
        stream.CallerEnded |= endsStream;
        if (stream.Phase is not TakenPhase.Collecting)
            return;
        if (!TryHold(stream, stream.Request.WrittenCount, data.Length))
            return;
        stream.Request.Write(data);
        if (endsStream)
            OnRequest(stream);
    }

    /// <returns>Whether the runtime is to see it.</returns>
    internal bool ForwardsCallerReset(int id)
    {
        RuntimeLedger.Drop(id);
        CallerLedger.Drop(id);
        if (!_streams.TryGetValue(id, out var stream))
            return !IsAnswered(id);
        stream.Cancel();
        Remove(stream);
        if (stream.Phase is not TakenPhase.Answering)
            return true;
        Remember(id);
        return false;
    }

    internal void CreditCaller(FrameHeader taken, TakenStream? stream) =>
        Credit(taken, stream?.RequestCredit, RuntimeLedger, connection.ToCaller);

    internal void OnCallerInitialWindowSize(int size)
    {
        CallerLedger.OnInitialWindowSize(size);
        foreach (var stream in _streams.Values)
            Pay(stream.Id, stream.AnswerCredit, connection.ToRuntime);
    }

    // --- what the runtime sends ------------------------------------------------------------------------------------------

    internal void HoldHeaders(TakenStream stream, ReadOnlySpan<byte> block, bool endsStream)
    {
        if (!TryHold(stream, stream.Answer.Octets - stream.Answer.Body.Length, HeldAnswer.Cost(block)))
            return;
        if (stream.Answer.Octets == 0 && !HpackEncoder.BeginsWithTableSize(block))
            block = (byte[])[HpackEncoder.TableSizeUpdateToZero, .. block]; // as on answers of our own
        stream.Answer.AddHeaderBlock(block, endsStream);
        if (endsStream)
            OnRuntimeEnd(stream);
    }

    internal void Hold(TakenStream stream, ReadOnlySpan<byte> data, bool endsStream)
    {
        if (stream.Phase is TakenPhase.Answering || !TryHold(stream, stream.Answer.Body.Length, data.Length))
            return;
        stream.Answer.AddData(data);
        if (endsStream)
            OnRuntimeEnd(stream);
    }

    /// <summary>The answer of a watched call is whole. One that came before the request was whole is the runtime's refusal.</summary>
    private void OnRuntimeEnd(TakenStream stream)
    {
        stream.RuntimeEnded = true;
        if (RuntimeLedger.Owns(stream.Id))
            ResetRuntime(stream); // it does not want the rest of the request
        if (stream.Phase is TakenPhase.Watching && !stream.IsForwarded && !Ask(stream, static s => s.Call.Accepts(s.Answer), ifItFails: true))
        {
            stream.Phase = TakenPhase.Answering;
            _refused.Enqueue(stream);
            return;
        }

        stream.Answer.Replay(stream.Id, CallerLedger, andReset: !stream.CallerEnded);
        Finish(stream);
    }

    /// <summary>
    /// The next watched call whose answer is not the caller's and that is to be answered now. Needs no gate: only the runtime's pump
    /// adds to them and takes them.
    /// </summary>
    internal TakenStream? TakeRefused() => _refused.TryDequeue(out var stream) ? stream : null;

    /// <returns>Whether the caller is to see it.</returns>
    internal bool ForwardsRuntimeReset(int id)
    {
        RuntimeLedger.Drop(id);
        if (!_streams.TryGetValue(id, out var stream))
            return !IsAnswered(id) && !CallerLedger.Owns(id);
        if (stream.Phase is TakenPhase.Answering)
            return false;
        CallerLedger.Drop(id);
        Remove(stream);
        return true;
    }

    internal void CreditRuntime(FrameHeader taken, TakenStream? stream) =>
        Credit(taken, stream?.AnswerCredit, CallerLedger, connection.ToRuntime);

    internal void OnRuntimeInitialWindowSize(int size)
    {
        RuntimeLedger.OnInitialWindowSize(size);
        foreach (var stream in _streams.Values)
            Pay(stream.Id, stream.RequestCredit, connection.ToCaller);
    }

    // --- what we answer --------------------------------------------------------------------------------------------------

    /// <param name="answer">Null: the watched answer.</param>
    internal void OnAnswer(TakenStream stream, StreamAnswer? answer)
    {
        if (!_streams.ContainsKey(stream.Id))
            return; // the caller went away meanwhile
        if (answer is null)
            stream.Answer.Replay(stream.Id, CallerLedger, andReset: !stream.CallerEnded);
        else
            Send(stream, answer);
        Finish(stream);
    }

    /// <summary>The caller waits for nothing any more.</summary>
    internal void CancelAll()
    {
        foreach (var stream in _streams.Values.ToArray())
        {
            stream.Cancel();
            Remove(stream);
        }

        CallerLedger.DropOurs();
        RuntimeLedger.DropOurs();
    }

    private void OnRequest(TakenStream stream)
    {
        var verdict = Ask(stream, static s => s.Call.OnRequest(s.Request.WrittenMemory), ifItFails: Verdict.Forward);
        if (verdict is Verdict.Answer)
        {
            ResetRuntime(stream);
            stream.Phase = TakenPhase.Answering;
            connection.StartAnswer(stream);
            return;
        }

        RuntimeLedger.SendData(stream.Id, stream.Request.WrittenMemory, endStream: true);
        stream.Phase = TakenPhase.Watching;
        stream.IsForwarded = verdict is Verdict.Forward;
        if (stream.IsForwarded && stream.Answer.Octets == 0) // else what is held already must go first
            Release(stream);
    }

    // Gives a stream back to the runtime, behind its request.
    private void Release(TakenStream stream)
    {
        CallerLedger.Drop(stream.Id);
        Remove(stream);
    }

    private T Ask<T>(TakenStream stream, Func<TakenStream, T> question, T ifItFails)
    {
        try
        {
            return question(stream);
        }
        catch (Exception e) // a defect of ours must not break a call: it goes on as if it had not been taken over
        {
            connection.LogCallFailed(e);
            return ifItFails;
        }
    }

    private void Send(TakenStream stream, StreamAnswer answer)
    {
        if (answer.Body is { } body)
        {
            heldBytes.Reserve(body.Length - stream.Held); // in place of the request
            stream.Held = body.Length;
            CallerLedger.SendHeaders(stream.Id, answer.EncodeHeaders().Span, endStream: false);
            CallerLedger.SendData(stream.Id, body, endStream: false);
        }

        CallerLedger.SendHeaders(stream.Id, answer.EncodeTrailers().Span, endStream: true, andReset: !stream.CallerEnded);
    }

    private void Finish(TakenStream stream)
    {
        Remove(stream);
        if (!stream.CallerEnded || !stream.RuntimeEnded)
            Remember(stream.Id);
    }

    private void Remove(TakenStream stream)
    {
        _streams.Remove(stream.Id);
        var held = stream.Held;
        stream.Held = 0;
        // A peer whose windows are closed takes nothing: what waits for it is still held.
        RuntimeLedger.WhenSent(stream.Id, () => CallerLedger.WhenSent(stream.Id, () => heldBytes.Release(held)));
    }

    private void Remember(int id)
    {
        _answered.Add(id);
        _answeredInOrder.Enqueue(id);
        if (_answeredInOrder.Count > RelayLimits.AnsweredStreams)
            _answered.Remove(_answeredInOrder.Dequeue());
    }

    private void ResetRuntime(TakenStream stream)
    {
        RuntimeLedger.Drop(stream.Id);
        connection.ToRuntime.Append(Frames.RstStream(stream.Id, ErrorCode.Cancel));
    }

    private bool TryHold(TakenStream stream, int before, int more)
    {
        const int prefix = 5; // gRPC's own, before each message
        var error = before + more > RelayLimits.MessageBytes + prefix
            ? $"image-cri-shim: the message is larger than {RelayLimits.MessageBytes} bytes, the limit for calls that it edits"
            : !heldBytes.TryReserve(more)
                ? $"image-cri-shim: more than {RelayLimits.HeldBytes} bytes of edited calls are held at once"
                : null;
        if (error is null)
        {
            stream.Held += more;
            return true;
        }

        ResetRuntime(stream);
        OnAnswer(stream, StreamAnswer.Error(GrpcCode.ResourceExhausted, error));
        return false;
    }

    // What we take from a sender we credit: on its stream before that closes, on the connection as the ledger says.
    private static void Credit(FrameHeader taken, StreamCredit? stream, FlowLedger ledger, FrameWriter toSender)
    {
        var credit = ledger.Take(taken.Length);
        if (credit > 0)
            toSender.Append(Frames.WindowUpdate(0, credit));
        if (stream is null || taken.EndsStream)
            return;
        stream.Owed += taken.Length;
        if (stream.Owed >= ledger.InitialStreamWindow / 2)
            Pay(taken.StreamId, stream, toSender);
    }

    private static void Pay(int id, StreamCredit stream, FrameWriter toSender)
    {
        if (stream.Owed > 0)
            toSender.Append(Frames.WindowUpdate(id, stream.Owed));
        stream.Owed = 0;
    }
}
