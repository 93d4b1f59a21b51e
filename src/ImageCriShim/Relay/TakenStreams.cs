using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using ImageCriShim.Relay.Hpack;

namespace ImageCriShim.Relay;

/// <summary>
/// The edited calls of one connection and what happens to each: its request is collected, then passed on, watched or answered.
/// The connection's gate is held around every call; nothing here blocks.
/// </summary>
internal sealed class TakenStreams
{
    private readonly RelayConnection _connection;
    private readonly HeldBytes _heldBytes;
    private readonly StreamedAnswers _streamed;
    private readonly Dictionary<int, TakenStream> _streams = [];
    private readonly Queue<TakenStream> _refused = [];
    private readonly Queue<EditedCall> _askingAhead = [];

    internal TakenStreams(RelayConnection connection, HeldBytes heldBytes)
    {
        (_connection, _heldBytes) = (connection, heldBytes);
        _streamed = new StreamedAnswers(connection.CallerLedger, heldBytes, OnMessage);
    }

    private FlowLedger CallerLedger => _connection.CallerLedger;

    private FlowLedger RuntimeLedger => _connection.RuntimeLedger;

    /// <summary>Nothing but forwarded streams: the frames of most connections need no look-up at all.</summary>
    internal bool IsEmpty => _streams.Count == 0 && Answered.IsEmpty;

    internal bool TryGet(int id, [NotNullWhen(true)] out TakenStream? stream) => _streams.TryGetValue(id, out stream);

    /// <summary>Answered by us a moment ago: what either side still says of it is dropped.</summary>
    internal AnsweredStreams Answered { get; } = new();

    /// <summary>How many are being answered by us.</summary>
    internal int Answering => _streams.Values.Count(stream => stream.Phase is TakenPhase.Answering);

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
        if (stream.Phase is not TakenPhase.Collecting || !TryHold(stream, stream.Request.WrittenCount, data.Length))
            return;
        stream.Request.Write(data);
        if (endsStream)
            OnRequest(stream);
    }

    /// <summary>The next call that is to ask ahead. Needs no gate: only the caller's pump adds to them and takes them.</summary>
    internal EditedCall? TakeAskingAhead() => _askingAhead.TryDequeue(out var call) ? call : null;

    /// <returns>Whether the runtime is to see it.</returns>
    internal bool ForwardsCallerReset(int id)
    {
        RuntimeLedger.Drop(id);
        CallerLedger.Drop(id);
        if (!_streams.TryGetValue(id, out var stream))
            return !Answered.Contains(id);
        stream.Cancel();
        Remove(stream);
        if (stream.Phase is not TakenPhase.Answering)
            return true;
        Answered.Add(id);
        return false;
    }

    internal void CreditCaller(FrameHeader taken, TakenStream? stream) =>
        StreamCredit.Take(taken, stream?.RequestCredit, RuntimeLedger, _connection.ToCaller);

    /// <summary>Of a stream: where we edit message by message, the runtime hears of it as far as it is about its own octets.</summary>
    internal void OnCallerWindowUpdate(int id, int increment)
    {
        if (_streams.TryGetValue(id, out var stream) && stream.Phase is TakenPhase.WatchingEach)
            stream.AnswerCredit.Return(id, increment, _connection.ToRuntime);
    }

    internal void OnCallerInitialWindowSize(int size)
    {
        CallerLedger.OnInitialWindowSize(size);
        foreach (var stream in _streams.Values)
            stream.AnswerCredit.Pay(stream.Id, _connection.ToRuntime);
    }

    // --- what the runtime sends ------------------------------------------------------------------------------------------

    internal void HoldHeaders(TakenStream stream, ReadOnlySpan<byte> block, bool endsStream)
    {
        if (!TryHold(stream, stream.Answer.Octets - stream.Answer.Body.Length, HeldAnswer.Cost(block)))
            return;
        if (stream is { Answer.Octets: 0, Messages: not { HasBegun: true } } && !HpackEncoder.BeginsWithTableSize(block))
            block = (byte[])[HpackEncoder.TableSizeUpdateToZero, .. block]; // as on answers of our own
        if (stream.Phase is TakenPhase.WatchingEach)
            _streamed.SendHeaders(stream, block, endsStream);
        else
            stream.Answer.AddHeaderBlock(block, endsStream);
        if (endsStream)
            OnRuntimeEnd(stream, AnswerHeaders.FindCode(block));
    }

    internal void Hold(TakenStream stream, ReadOnlySpan<byte> data, bool endsStream)
    {
        var before = stream.Messages?.Waiting ?? stream.Answer.Body.Length;
        if (stream.Phase is TakenPhase.Answering || !TryHold(stream, before, data.Length))
            return;
        if (stream.Phase is TakenPhase.WatchingEach)
            _streamed.SendMessages(stream, data, endsStream);
        else
            stream.Answer.AddData(data);
        if (endsStream)
            OnRuntimeEnd(stream, GrpcCode.Unknown);
    }

    /// <summary>The answer of a watched call is whole. One that came before the request was whole is the runtime's refusal.</summary>
    private void OnRuntimeEnd(TakenStream stream, GrpcCode code)
    {
        (stream.RuntimeEnded, stream.Code) = (true, code);
        if (RuntimeLedger.Owns(stream.Id))
            ResetRuntime(stream); // it does not want the rest of the request
        if (stream.Phase is TakenPhase.WatchingEach)
        {
            Finish(stream, code); // the caller has it
            return;
        }

        var isWatched = stream is { Phase: TakenPhase.Watching, IsForwarded: false };
        var reply = isWatched ? _connection.Ask(stream, static s => s.Call.OnAnswer(s.Answer), ifItFails: Reply.AsItCame) : Reply.AsItCame;
        if (reply.IsOurs)
        {
            stream.Phase = TakenPhase.Answering;
            _refused.Enqueue(stream);
            return;
        }

        _heldBytes.HoldMade(stream, reply.Body);
        stream.Answer.Replay(stream.Id, CallerLedger, reply.Body, andReset: !stream.CallerEnded);
        Finish(stream, code);
    }

    /// <summary>The next watched call to be answered now. Needs no gate: only the runtime's pump adds to them and takes them.</summary>
    internal TakenStream? TakeRefused() => _refused.TryDequeue(out var stream) ? stream : null;

    /// <returns>Whether the caller is to see it.</returns>
    internal bool ForwardsRuntimeReset(int id)
    {
        RuntimeLedger.Drop(id);
        if (!_streams.TryGetValue(id, out var stream))
            return !Answered.Contains(id) && !CallerLedger.Owns(id);
        if (stream.Phase is TakenPhase.Answering)
            return false;
        CallerLedger.Drop(id);
        Remove(stream);
        return true;
    }

    internal void CreditRuntime(FrameHeader taken, TakenStream? stream) =>
        StreamCredit.Take(taken, stream?.AnswerCredit, CallerLedger, _connection.ToRuntime);

    internal void OnRuntimeInitialWindowSize(int size)
    {
        RuntimeLedger.OnInitialWindowSize(size);
        foreach (var stream in _streams.Values)
            stream.RequestCredit.Pay(stream.Id, _connection.ToCaller);
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
        {
            _heldBytes.HoldInstead(stream, answer.Body);
            answer.Send(stream, CallerLedger);
        }

        Finish(stream, answer?.Code ?? stream.Code);
    }

    /// <summary>The runtime gets the prepared request.</summary>
    internal void OnPrepared(TakenStream stream, ReadOnlyMemory<byte> request)
    {
        if (!_streams.ContainsKey(stream.Id))
            return; // the caller went away meanwhile, or the runtime has refused it
        _heldBytes.HoldMade(stream, request);
        PassOn(stream, request, isForwarded: true);
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
        var verdict = _connection.Ask(stream, static s => s.Call.OnRequest(s.Request.WrittenMemory), ifItFails: stream.Call.IfUnread);
        switch (verdict)
        {
            case Verdict.Answer:
                ResetRuntime(stream);
                stream.Phase = TakenPhase.Answering;
                _connection.StartAnswer(stream);
                break;
            case Verdict.Prepare:
                stream.Phase = TakenPhase.Preparing;
                _connection.StartPreparing(stream);
                break;
            case Verdict.WatchEach when stream.Answer.Octets == 0: // else the runtime refuses it already
                RuntimeLedger.SendData(stream.Id, stream.Request.WrittenMemory, endStream: true);
                stream.Phase = TakenPhase.WatchingEach;
                stream.Messages = new EditedMessages();
                break;
            default:
                PassOn(stream, stream.Request.WrittenMemory, isForwarded: verdict is not Verdict.Watch);
                break;
        }
    }

    private void PassOn(TakenStream stream, ReadOnlyMemory<byte> request, bool isForwarded)
    {
        RuntimeLedger.SendData(stream.Id, request, endStream: true);
        stream.Phase = TakenPhase.Watching;
        stream.IsForwarded = isForwarded;
        if (!isForwarded && stream.Call.AsksAhead)
            _askingAhead.Enqueue(stream.Call);
        if (!isForwarded || stream.Answer.Octets > 0)
            return; // what is held already must go first
        CallerLedger.Drop(stream.Id); // the stream is the runtime's again
        Remove(stream);
    }

    private ReadOnlyMemory<byte> OnMessage(TakenStream stream, ReadOnlyMemory<byte> message) =>
        _connection.Ask(stream, s => s.Call.OnMessage(message, s.Messages!.FindEncoding), ifItFails: message);

    private void Finish(TakenStream stream, GrpcCode code)
    {
        _connection.Calls.End(stream.Id, code);
        Remove(stream);
        if (!stream.CallerEnded || !stream.RuntimeEnded)
            Answered.Add(stream.Id);
    }

    private void Remove(TakenStream stream)
    {
        _streams.Remove(stream.Id);
        stream.Call.OnEnd();
        var held = stream.Held;
        stream.Held = 0;
        // A peer whose windows are closed takes nothing: what waits for it is still held.
        if (RuntimeLedger.Waits(stream.Id) || CallerLedger.Waits(stream.Id))
            ReleaseWhenSent(stream.Id, held);
        else
            _heldBytes.Release(held);
    }

    private void ReleaseWhenSent(int id, int held) =>
        RuntimeLedger.WhenSent(id, () => CallerLedger.WhenSent(id, () => _heldBytes.Release(held)));

    private void ResetRuntime(TakenStream stream)
    {
        RuntimeLedger.Drop(stream.Id);
        _connection.ToRuntime.Append(Frames.RstStream(stream.Id, ErrorCode.Cancel));
    }

    private bool TryHold(TakenStream stream, int before, int more)
    {
        if (_heldBytes.Hold(stream, before, more) is not { } refusal)
            return true;
        ResetRuntime(stream);
        OnAnswer(stream, refusal);
        return false;
    }
}
